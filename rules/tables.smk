# Tables: each rule writes one, from the tables of a study.  Its module is an input, as for figures.


localrules:
    final_performance,
    cooperation,
    transfer,
    hiro_reproduction,
    sensitivity,
    cost,
    hyperparameters,


rule final_performance:
    input:
        **study_tables("main", "final", "evaluation_statistics", "driver_statistics"),
        module=module("tables/final_performance"),
    output:
        *table_files("final_performance", "final performance"),
    log:
        f"{RESULTS}/logs/final_performance.log",
    shell:
        "python -m analysis.tables.final_performance --final {input.final}"
        " --evaluation-statistics {input.evaluation_statistics} --driver-statistics {input.driver_statistics}"
        " --out {output} > {log} 2>&1"


rule cooperation:
    input:
        **study_tables("cooperation", "runs", "final", "evaluation_statistics", "cells"),
        module=module("tables/cooperation"),
    output:
        *table_files("cooperation", "degrees of cooperation"),
    log:
        f"{RESULTS}/logs/cooperation.log",
    shell:
        "python -m analysis.tables.cooperation --runs {input.runs} --final {input.final}"
        " --evaluation-statistics {input.evaluation_statistics} --cells {input.cells}"
        " --out {output} > {log} 2>&1"


rule transfer:
    input:
        **study_tables("transfer", "evaluation_statistics", "cells"),
        module=module("tables/transfer"),
    output:
        *table_files("transfer", "transfer of workers"),
    log:
        f"{RESULTS}/logs/transfer.log",
    shell:
        "python -m analysis.tables.transfer --evaluation-statistics {input.evaluation_statistics}"
        " --cells {input.cells} --out {output} > {log} 2>&1"


rule hiro_reproduction:
    input:
        **study_tables("hiro_correction", "evaluations", "final", "evaluation_statistics"),
        module=module("tables/hiro_reproduction"),
        references=REFERENCE_NUMBERS,
    output:
        *table_files("hiro_reproduction", "HIRO beside its publication"),
    log:
        f"{RESULTS}/logs/hiro_reproduction.log",
    shell:
        "python -m analysis.tables.hiro_reproduction --evaluations {input.evaluations} --final {input.final}"
        " --evaluation-statistics {input.evaluation_statistics} --references {input.references}"
        " --out {output} > {log} 2>&1"


rule sensitivity:
    input:
        module=module("tables/sensitivity"),
        final=STUDY_TABLE.replace("{table}", "final"),
        evaluation_statistics=STUDY_TABLE.replace("{table}", "evaluation_statistics"),
        cells=STUDY_TABLE.replace("{table}", "cells"),
    output:
        *table_files("sensitivity_{study}", "settings compared: {study}", caption="sensitivity"),
    log:
        f"{RESULTS}/logs/sensitivity/{{study}}.log",
    shell:
        "python -m analysis.tables.sensitivity --final {input.final}"
        " --evaluation-statistics {input.evaluation_statistics} --cells {input.cells} --out {output} > {log} 2>&1"


rule cost:
    input:
        module=module("tables/cost"),
        timing=[STUDY_TABLE.format(study=study, table="timing") for study in STUDIES],
        statistics=[STUDY_TABLE.format(study=study, table="statistics") for study in STUDIES],
    output:
        *table_files("cost", "cost of trainings"),
    log:
        f"{RESULTS}/logs/cost.log",
    shell:
        "python -m analysis.tables.cost --timing {input.timing} --statistics {input.statistics}"
        " --out {output} > {log} 2>&1"


rule hyperparameters:
    input:
        module=module("tables/hyperparameters"),
        sources=list(map(str, value_files())),  # whose comments are the table's last column
    output:
        *table_files("hyperparameters", "hyper-parameters and their sources"),
    log:
        f"{RESULTS}/logs/hyperparameters.log",
    params:
        settings=settings_digest,
        preset=lambda wildcards, output: PRESET,
    shell:
        "python -m analysis.tables.hyperparameters {params.preset} --out {output} > {log} 2>&1"
