# The tables of studies and the episodes that figures show, out of the archive: nothing is trained.


localrules:
    from_archive,


rule from_archive:
    input:
        archive_files(),
    output:
        expand(STUDY_TABLE, study=STUDIES, table=products.COLLECTED),
        archived_episodes(),
    log:
        f"{RESULTS}/logs/from_archive.log",
    retries: 0  # a refusal stays a refusal
    params:
        # Which runs are used, and what the paper asks for: another choice makes all tables again.
        used=archive.fingerprint(PLAN),
        settings=settings_digest,
        preset=lambda wildcards, output: PRESET,
        archive=lambda wildcards, output: ARCHIVE,
        results=lambda wildcards, output: RESULTS,
    shell:
        "python -m analysis.archive tables {params.preset} --archive {params.archive} --out {params.results}"
        " > {log} 2>&1"
