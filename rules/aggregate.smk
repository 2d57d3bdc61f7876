# From run folders to the worker return and to one table, and from there to statistics over seeds.


localrules:
    worker_return,
    collect,
    statistics,


rule worker_return:
    input:
        lambda wildcards: run_files([run.key for run in hrl_runs(config, wildcards.task)]),
    output:
        ensure(WORKER_RETURN, non_empty=True),
    log:
        f"{RESULTS}/logs/worker_return/{{task}}.log",
    retries: 0  # a refusal stays a refusal
    params:
        # What the file says besides its input; no other change of the preset writes it again.
        extent=worker_return_extent,
        preset=lambda wildcards, output: PRESET,
    shell:
        "python -m analysis.worker_return {params.preset} --task {wildcards.task} --out {output} > {log} 2>&1"


rule collect:
    input:
        run_files(RUNS),
        driver_files(DRIVERS),
        WORKER_RETURNS,
    output:
        runs=ensure(f"{RESULTS}/tables/runs.parquet", non_empty=True),
        evaluations=ensure(f"{RESULTS}/tables/evaluations.parquet", non_empty=True),
        drivers=ensure(f"{RESULTS}/tables/drivers.parquet", non_empty=True),
    log:
        f"{RESULTS}/logs/collect.log",
    retries: 0  # a refusal stays a refusal
    params:
        preset=PRESET,
    shell:
        "python -m analysis.collect {params.preset} --out {output.runs} --evaluations {output.evaluations}"
        " --drivers {output.drivers} > {log} 2>&1"


rule statistics:
    input:
        runs=rules.collect.output.runs,
        evaluations=rules.collect.output.evaluations,
        drivers=rules.collect.output.drivers,
    output:
        statistics=ensure(f"{RESULTS}/tables/statistics.parquet", non_empty=True),
        final=ensure(f"{RESULTS}/tables/final.parquet", non_empty=True),
        evaluations=ensure(f"{RESULTS}/tables/evaluation_statistics.parquet", non_empty=True),
        drivers=ensure(f"{RESULTS}/tables/driver_statistics.parquet", non_empty=True),
    log:
        f"{RESULTS}/logs/statistics.log",
    params:
        preset=PRESET,
        paper=PAPER,  # what the runs are compared with
    shell:
        "python -m analysis.statistics {params.preset}"
        " --runs {input.runs} --evaluations {input.evaluations} --drivers {input.drivers}"
        " --out {output.statistics} --final {output.final} --evaluation-statistics {output.evaluations}"
        " --driver-statistics {output.drivers} > {log} 2>&1"
