# Figures of the paper: each rule draws one, from the tables of a study.  Its module is an input, so that editing it
# draws this figure again, and nothing else.


localrules:
    figure_01,
    figure_02,
    figure_03,
    figure_04,
    figure_05,
    figure_06,
    figure_07,
    figure_08,
    figure_09,
    figure_10,
    figure_11,
    figure_12,
    fixed_lambda,
    gradient_forms,


rule figure_01:
    input:
        **study_tables("main", "proposals", "statistics"),
        module=module("figures/figure_01"),
    output:
        *figure_files("figure_01", "1", "goals over training"),
    log:
        f"{RESULTS}/logs/figure_01.log",
    shell:
        "python -m analysis.figures.figure_01 --proposals {input.proposals} --statistics {input.statistics}"
        " --out {output} > {log} 2>&1"


rule figure_02:
    input:
        module=module("figures/figure_02"),
    output:
        *figure_files("figure_02", "2", "the hierarchy"),
    log:
        f"{RESULTS}/logs/figure_02.log",
    shell:
        "python -m analysis.figures.figure_02 --out {output} > {log} 2>&1"


rule figure_03:
    input:
        module=module("figures/figure_03"),
    output:
        *figure_files("figure_03", "3", "the cooperative gradient"),
    log:
        f"{RESULTS}/logs/figure_03.log",
    shell:
        "python -m analysis.figures.figure_03 --out {output} > {log} 2>&1"


rule figure_04:
    input:
        module=module("figures/figure_04"),
    output:
        *figure_files("figure_04", "4", "the tasks"),
    log:
        f"{RESULTS}/logs/figure_04.log",
    shell:
        "python -m analysis.figures.figure_04 --out {output} > {log} 2>&1"


rule figure_05:
    input:
        **study_tables("main", "statistics", "evaluation_statistics", "driver_statistics"),
        module=module("figures/figure_05"),
    output:
        *figure_files("figure_05", "5", "learning curves"),
    log:
        f"{RESULTS}/logs/figure_05.log",
    shell:
        "python -m analysis.figures.figure_05 --statistics {input.statistics}"
        " --evaluation-statistics {input.evaluation_statistics} --driver-statistics {input.driver_statistics}"
        " --out {output} > {log} 2>&1"


rule figure_06:
    input:
        **study_tables("main", "statistics"),
        module=module("figures/figure_06"),
        trajectories=trajectory_files("figure_06"),
        recordings=recording_files("figure_06"),
    output:
        *figure_files("figure_06", "6", "agents and their goals"),
    log:
        f"{RESULTS}/logs/figure_06.log",
    params:
        trajectories=lambda wildcards, input: named_files("trajectories", input.trajectories),
        recordings=lambda wildcards, input: named_files("recordings", input.recordings),
    shell:
        "python -m analysis.figures.figure_06 --statistics {input.statistics} {params.trajectories}"
        " {params.recordings} --out {output} > {log} 2>&1"


rule figure_07:
    input:
        **study_tables("cooperation", "statistics", "final", "cells", "runs"),
        module=module("figures/figure_07"),
        trajectories=trajectory_files("figure_07"),
    output:
        *figure_files("figure_07", "7", "degrees of cooperation"),
    log:
        f"{RESULTS}/logs/figure_07.log",
    params:
        trajectories=lambda wildcards, input: named_files("trajectories", input.trajectories),
    shell:
        "python -m analysis.figures.figure_07 --statistics {input.statistics} --final {input.final}"
        " --cells {input.cells} --runs {input.runs} {params.trajectories} --out {output} > {log} 2>&1"


rule figure_08:
    input:
        **study_tables("transfer", "evaluation_statistics", "cells"),
        module=module("figures/figure_08"),
    output:
        *figure_files("figure_08", "8", "transfer of workers"),
    log:
        f"{RESULTS}/logs/figure_08.log",
    shell:
        "python -m analysis.figures.figure_08 --evaluation-statistics {input.evaluation_statistics}"
        " --cells {input.cells} --out {output} > {log} 2>&1"


rule figure_09:
    input:
        **study_tables("hiro_correction", "statistics", "evaluation_statistics"),
        module=module("figures/figure_09"),
        references=REFERENCE_NUMBERS,
    output:
        *figure_files("figure_09", "9", "HIRO with and without correction"),
    log:
        f"{RESULTS}/logs/figure_09.log",
    shell:
        "python -m analysis.figures.figure_09 --statistics {input.statistics}"
        " --evaluation-statistics {input.evaluation_statistics} --references {input.references}"
        " --out {output} > {log} 2>&1"


rule figure_10:
    input:
        **study_tables("main", "evaluation_statistics", "driver_statistics"),
        module=module("figures/figure_10"),
        recordings=recording_files("figure_10"),
    output:
        *figure_files("figure_10", "10", "traffic on the highway"),
    log:
        f"{RESULTS}/logs/figure_10.log",
    params:
        recordings=lambda wildcards, input: named_files("recordings", input.recordings),
    shell:
        "python -m analysis.figures.figure_10 --evaluation-statistics {input.evaluation_statistics}"
        " --driver-statistics {input.driver_statistics} {params.recordings} --out {output} > {log} 2>&1"


rule figure_11:
    input:
        **study_tables("visual", "evaluation_statistics"),
        module=module("figures/figure_11"),
    output:
        *figure_files("figure_11", "11", "Visual Ant Maze by steps"),
    log:
        f"{RESULTS}/logs/figure_11.log",
    shell:
        "python -m analysis.figures.figure_11 --evaluation-statistics {input.evaluation_statistics}"
        " --out {output} > {log} 2>&1"


rule figure_12:
    input:
        **study_tables("visual", "evaluations", "timing", "statistics"),
        module=module("figures/figure_12"),
    output:
        *figure_files("figure_12", "12", "Visual Ant Maze by wall-clock time"),
    log:
        f"{RESULTS}/logs/figure_12.log",
    shell:
        "python -m analysis.figures.figure_12 --evaluations {input.evaluations} --timing {input.timing}"
        " --statistics {input.statistics} --out {output} > {log} 2>&1"


rule fixed_lambda:
    input:
        **study_tables(
            "fixed_lambda", "statistics", "final", "evaluation_statistics", "runs", "evaluations", "cells"
        ),
        module=module("figures/fixed_lambda"),
    output:
        *figure_files("fixed_lambda", "fixed lambda", "sensitivity to lambda"),
    log:
        f"{RESULTS}/logs/fixed_lambda.log",
    shell:
        "python -m analysis.figures.fixed_lambda --statistics {input.statistics} --final {input.final}"
        " --evaluation-statistics {input.evaluation_statistics} --runs {input.runs}"
        " --evaluations {input.evaluations} --cells {input.cells} --out {output} > {log} 2>&1"


rule gradient_forms:
    input:
        **study_tables("gradient_forms", "statistics", "evaluation_statistics", "cells"),
        module=module("figures/gradient_forms"),
    output:
        *figure_files("gradient_forms", "gradient forms", "readings of the cooperative gradient"),
    log:
        f"{RESULTS}/logs/gradient_forms.log",
    shell:
        "python -m analysis.figures.gradient_forms --statistics {input.statistics} --cells {input.cells}"
        " --evaluation-statistics {input.evaluation_statistics} --out {output} > {log} 2>&1"
