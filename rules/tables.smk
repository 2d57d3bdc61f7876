# Tables: each rule writes one, from the tables of a study.  Its module is an input, as for figures.


localrules:
    final_performance,


rule final_performance:
    input:
        module=module("tables/final_performance"),
        **study_tables("main", "final", "evaluation_statistics", "driver_statistics"),
    output:
        *table_files("final_performance", "final performance"),
    log:
        f"{RESULTS}/logs/final_performance.log",
    shell:
        "python -m analysis.tables.final_performance --final {input.final}"
        " --evaluations {input.evaluation_statistics} --drivers {input.driver_statistics}"
        " --out {output} > {log} 2>&1"
