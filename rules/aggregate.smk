# From run folders to one table, and from there to statistics over seeds.


localrules:
    collect,
    statistics,


rule collect:
    input:
        expand(
            f"{RESULTS}/runs/{{key}}/{{name}}",
            key=RUNS,
            name=["progress.csv", "evaluations.csv", "run.json"],
        ),
    output:
        runs=ensure(f"{RESULTS}/tables/runs.parquet", non_empty=True),
        evaluations=ensure(f"{RESULTS}/tables/evaluations.parquet", non_empty=True),
    log:
        f"{RESULTS}/logs/collect.log",
    retries: 0  # a refusal stays a refusal
    params:
        preset=PRESET,
    shell:
        "python -m analysis.collect {params.preset}"
        " --out {output.runs} --evaluations {output.evaluations} > {log} 2>&1"


rule statistics:
    input:
        runs=rules.collect.output.runs,
    output:
        statistics=ensure(f"{RESULTS}/tables/statistics.parquet", non_empty=True),
        final=ensure(f"{RESULTS}/tables/final.parquet", non_empty=True),
    log:
        f"{RESULTS}/logs/statistics.log",
    params:
        preset=PRESET,
        paper=PAPER,  # what the runs are compared with
    shell:
        "python -m analysis.statistics {params.preset} --runs {input.runs}"
        " --out {output.statistics} --final {output.final} > {log} 2>&1"
