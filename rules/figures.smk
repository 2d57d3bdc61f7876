# Figures of the paper: each rule draws one, from the tables of a study.  Its module is an input, so that editing it
# draws this figure again.


localrules:
    figure_04,
    figure_05,


rule figure_04:
    input:
        module=module("figures/figure_04"),
    output:
        *figure_files("figure_04", "4", "the tasks"),
    log:
        f"{RESULTS}/logs/figure_04.log",
    shell:
        "python -m analysis.figures.figure_04 --out {output} > {log} 2>&1"


rule figure_05:
    input:
        module=module("figures/figure_05"),
        **study_tables("main", "statistics", "evaluation_statistics", "driver_statistics"),
    output:
        *figure_files("figure_05", "5", "learning curves"),
    log:
        f"{RESULTS}/logs/figure_05.log",
    shell:
        "python -m analysis.figures.figure_05 --statistics {input.statistics}"
        " --evaluations {input.evaluation_statistics} --drivers {input.driver_statistics}"
        " --out {output} > {log} 2>&1"
