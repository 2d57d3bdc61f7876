# Figures of the paper: each rule draws one, from statistics alone (Figure 4: from the
# tasks themselves; after changing one, redraw it with `snakemake --forcerun figure_04`).


localrules:
    figure_04,
    figure_05,


rule figure_04:
    output:
        report(
            f"{RESULTS}/figures/figure_04.svg",
            caption="../analysis/captions/figure_04.rst",
            category="Figures",
            labels={"figure": "4", "shows": "the tasks"},
        ),
        f"{RESULTS}/figures/figure_04.pdf",
        f"{RESULTS}/figures/figure_04.png",
    log:
        f"{RESULTS}/logs/figure_04.log",
    shell:
        "python -m analysis.figures.figure_04 --out {output} > {log} 2>&1"


rule figure_05:
    input:
        statistics=rules.statistics.output.statistics,
        evaluations=rules.statistics.output.evaluations,
        drivers=rules.statistics.output.drivers,
    output:
        report(
            f"{RESULTS}/figures/figure_05.svg",
            caption="../analysis/captions/figure_05.rst",
            category="Figures",
            labels={"figure": "5", "shows": "learning curves"},
        ),
        f"{RESULTS}/figures/figure_05.pdf",
        f"{RESULTS}/figures/figure_05.png",
    log:
        f"{RESULTS}/logs/figure_05.log",
    shell:
        "python -m analysis.figures.figure_05 --statistics {input.statistics} --evaluations {input.evaluations}"
        " --drivers {input.drivers} --out {output} > {log} 2>&1"
