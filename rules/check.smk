# What the results say about the claims of the paper, and published numbers beside ours:  snakemake check


localrules:
    check,
    claims,


rule check:
    input:
        claim_files(),


rule claims:
    input:
        tables=claim_tables(),
        modules=claim_modules(),
        references=REFERENCE_NUMBERS,
    output:
        *claim_files(),
    log:
        f"{RESULTS}/logs/claims.log",
    params:
        preset=lambda wildcards, output: PRESET,
        tables=lambda wildcards, output: Path(output[0]).parent,
        results=lambda wildcards, output: Path(output[0]).parent.parent,
    shell:
        "python -m analysis.claims {params.preset} --tables {params.tables} --references {input.references}"
        " --out {params.results} 2>&1 | tee {log}"
