# From run folders to the worker return, and to the tables of a study.


localrules:
    worker_return,
    collect,


rule worker_return:
    input:
        worker_return_runs,
    output:
        ensure(WORKER_RETURN, non_empty=True),
    log:
        f"{RESULTS}/logs/worker_return/{{task}}/{{label}}.log",
    retries: 0  # a refusal stays a refusal
    params:
        # What the file says besides its input; no other change of the preset writes it again.
        extent=worker_return_extent,
        # Functions of `output` take no part in the decision to rerun.
        preset=lambda wildcards, output: PRESET,
        variant=worker_return_variant,
    shell:
        "python -m analysis.worker_return {params.preset} --task {wildcards.task} --out {output}"
        " {params.variant} > {log} 2>&1"


rule collect:
    input:
        collected_files,
    output:
        [ensure(STUDY_TABLE.replace("{table}", table), non_empty=True) for table in products.COLLECTED],
    log:
        f"{RESULTS}/logs/collect/{{study}}.log",
    retries: 0  # a refusal stays a refusal
    resources:
        mem_mb=4000,
    params:
        study=study_digest,
        compared=reductions_digest,
        preset=lambda wildcards, output: PRESET,
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "python -m analysis.collect {params.preset} --study {wildcards.study} --out {params.folder} > {log} 2>&1"
