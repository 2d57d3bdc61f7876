# One page with all figures and tables, which needs nothing besides itself.


localrules:
    page,


rule page:
    input:
        files=page_files,
        modules=page_modules(),
    output:
        PAGE,
    log:
        f"{RESULTS}/logs/page.log",
    params:
        results=lambda wildcards, output: Path(output[0]).parents[1],
        preset=lambda wildcards, output: PRESET,
        # What the page says of the preset besides its files.
        name=config["preset"],
    shell:
        "python -m analysis.report {params.preset} --results {params.results} --only {input.files} --out {output}"
        " > {log} 2>&1"
