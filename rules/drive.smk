# Scripted drivers, for comparison: one evaluation per driver and task with traffic, of all seeds.


rule drive:
    input:
        states=ancient(lambda wildcards: warmed_up_states(DRIVERS[f"{wildcards.task}/{wildcards.driver}"])),
    output:
        evaluations=ensure(f"{DRIVER_FOLDER}/evaluations.csv", non_empty=True),
        run=ensure(f"{DRIVER_FOLDER}/run.json", non_empty=True),
    log:
        f"{RESULTS}/logs/drive/{{task}}/{{driver}}.log",
    resources:
        mem_mb=1000,
        runtime=240,
    params:
        # This driver's own settings: a change repeats its evaluation, and nothing else does.
        experiment=lambda wildcards: DRIVERS[f"{wildcards.task}/{wildcards.driver}"].hash,
        # A function of `output` takes no part in the decision to rerun.
        preset=lambda wildcards, output: PRESET,
    shell:
        "python -m algorithms.drive {params.preset} --task {wildcards.task} --driver {wildcards.driver}"
        " >> {log} 2>&1"
