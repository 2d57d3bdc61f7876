# From the tables of a study to statistics over seeds, wherever these tables come from.


localrules:
    statistics,


rule statistics:
    input:
        runs=STUDY_TABLE.replace("{table}", "runs"),
        evaluations=STUDY_TABLE.replace("{table}", "evaluations"),
        drivers=STUDY_TABLE.replace("{table}", "drivers"),
        extents=STUDY_TABLE.replace("{table}", "extents"),
    output:
        [ensure(STUDY_TABLE.replace("{table}", table), non_empty=True) for table in products.STATISTICS],
    log:
        f"{RESULTS}/logs/statistics/{{study}}.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "python -m analysis.statistics --tables {params.folder} > {log} 2>&1"
