# Tables: each rule writes one, from statistics alone.


localrules:
    final_performance,


rule final_performance:
    input:
        final=rules.statistics.output.final,
        evaluations=rules.statistics.output.evaluations,
        drivers=rules.statistics.output.drivers,
    output:
        report(
            f"{RESULTS}/tables/final_performance.csv",
            caption="../analysis/captions/final_performance.rst",
            category="Tables",
            labels={"table": "final performance", "format": "csv"},
        ),
        f"{RESULTS}/tables/final_performance.md",
        f"{RESULTS}/tables/final_performance.tex",
    log:
        f"{RESULTS}/logs/final_performance.log",
    shell:
        "python -m analysis.tables.final_performance --final {input.final} --evaluations {input.evaluations}"
        " --drivers {input.drivers} --out {output} > {log} 2>&1"
