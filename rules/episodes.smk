# Episodes of finished policies, step by step, for figures of paths, goals and traffic.


rule trajectories:
    input:
        lambda wildcards: run_files([first_run(wildcards)], "policy.pt", "run.json"),
        ancient(lambda wildcards: warmed_up_states(first_run(wildcards))),
    output:
        ensure(TRAJECTORIES, non_empty=True),
    log:
        f"{RESULTS}/logs/trajectories/{{task}}/{{label}}.log",
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        folder=first_run_folder,
        episodes=path_episodes,
    shell:
        "python -m algorithms.evaluate --run {params.folder} --episodes {params.episodes}"
        " --trajectories {output} > {log} 2>&1"


rule recording:
    input:
        lambda wildcards: run_files([first_run(wildcards)], "policy.pt", "run.json"),
        ancient(lambda wildcards: warmed_up_states(first_run(wildcards))),
    output:
        ensure(RECORDING, non_empty=True),
    log:
        f"{RESULTS}/logs/recordings/{{task}}/{{label}}.log",
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        folder=first_run_folder,
    shell:
        "python -m algorithms.evaluate --run {params.folder} --episodes 1 --recording {output} > {log} 2>&1"


rule record_driver:
    input:
        run=f"{DRIVER_FOLDER}/run.json",
        states=ancient(lambda wildcards: warmed_up_states(DRIVERS[f"{wildcards.task}/{wildcards.driver}"])),
    output:
        ensure(DRIVER_RECORDING, non_empty=True),
    log:
        f"{RESULTS}/logs/recordings/{{task}}/driver_{{driver}}.log",
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        preset=lambda wildcards, output: PRESET,
    shell:
        "python -m algorithms.drive {params.preset} --task {wildcards.task} --driver {wildcards.driver}"
        " --recording {output} > {log} 2>&1"
