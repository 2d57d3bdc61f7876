# What the results say about the claims of the paper, and published numbers beside ours; and whether settings, formulas
# and tasks agree with their references:  snakemake check


localrules:
    check,
    claims,


# Without an output of its own, it is run at every call: what it measures is the code as it is now.
rule check:
    input:
        claim_files(),
    log:
        f"{RESULTS}/logs/check.log",
    retries: 0  # a refusal stays a refusal
    params:
        tables=[f"{RESULTS}/tables/checks.{ending}" for ending in ("csv", "md")],
    shell:
        "python -m analysis.checks --out {params.tables} 2>&1 | tee {log}"


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
