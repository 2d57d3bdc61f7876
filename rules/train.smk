# Saved traffic, and one training per run folder.  Checkpoints are no outputs: Snakemake deletes the outputs of an interrupted job.


rule warm_up:
    output:
        ensure(WARMED_UP_STATES, non_empty=True),
    log:
        f"{RESULTS}/logs/warm_up/{{states}}.log",
    params:
        options=highway_options,
    shell:
        "python -m envs.traffic.pool --options {params.options} > {log} 2>&1"


rule train:
    input:
        worker_return=worker_return_file,
        source=source_files,
        # Their folder is named after whatever shapes them, so others are never taken for these.
        states=ancient(lambda wildcards: warmed_up_states(planned(wildcards))),
    output:
        progress=ensure(f"{RUN_FOLDER}/progress.csv", non_empty=True),
        timing=ensure(f"{RUN_FOLDER}/timing.csv", non_empty=True),
        evaluations=ensure(f"{RUN_FOLDER}/evaluations.csv", non_empty=True),
        probes=ensure(f"{RUN_FOLDER}/probes.csv", non_empty=True),
        proposals=ensure(f"{RUN_FOLDER}/proposals.csv", non_empty=True),
        run=ensure(f"{RUN_FOLDER}/run.json", non_empty=True),
        policy=ensure(f"{RUN_FOLDER}/policy.pt", non_empty=True),
    log:
        f"{RESULTS}/logs/train/{{task}}/{{label}}/seeds_{{seeds}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{task}}/{{label}}/seeds_{{seeds}}.tsv"
    threads: simulation_threads
    resources:
        **GPU,
        mem_mb=memory,
        runtime=1440,
    params:
        # The settings of this training and of those that it depends on: a change retrains it, and nothing else does.
        experiment=lambda wildcards: studies.lineage(config, planned(wildcards)),
        algorithm=algorithm_arguments,
        # A function of `output` takes no part in the decision to rerun.
        preset=lambda wildcards, output: PRESET,
        device=lambda wildcards, output: config["device"],
        keep=lambda wildcards, output: "--keep-checkpoint" if config["keep_checkpoints"] else "",
        worker_return=worker_return_argument,
        source=source_argument,
    shell:
        "python -m algorithms.train {params.preset} --task {wildcards.task} {params.algorithm}"
        " --seeds {wildcards.seeds} --device {params.device} --threads {threads}"
        " {params.keep} {params.worker_return} {params.source} >> {log} 2>&1"
