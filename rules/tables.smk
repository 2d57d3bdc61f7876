# Tables: each rule writes one, from a statistics table alone.


localrules:
    final_performance,


rule final_performance:
    input:
        rules.statistics.output.final,
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
        "python -m analysis.tables.final_performance --final {input} --out {output} > {log} 2>&1"
