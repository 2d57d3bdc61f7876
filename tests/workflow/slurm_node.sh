#!/usr/bin/env bash
# A SLURM cluster of this one machine, for tests:  slurm_node.sh start FOLDER,  slurm_node.sh stop FOLDER
#
# Everything is in the folder: configuration, key, socket, logs, and jobs.txt, where the controller notes every job
# that has ended.  Commands such as `sinfo` talk to it after `export SLURM_CONF=FOLDER/slurm.conf`.  No file or
# service of the system is touched, and ports are free ones.  Needs root, and Debian's packages slurm-wlm and munge.
#
# Snakemake's plugin takes SLURM_CONF away from jobs, whose `srun` would look in /etc then: FOLDER/bin belongs in
# front of PATH, where a `srun` is that knows better.
set -euo pipefail

DAEMONS=(slurmd slurmctld munged)  # in the order in which they are stopped

fail() {
    echo "slurm_node: $*" >&2
    exit 1
}

check() {
    [ "$(id -u)" = 0 ] || fail "needs root, since SLURM's daemons do"
    local program
    for program in "${DAEMONS[@]}" munge sbatch; do
        command -v "$program" > /dev/null ||
            fail "$program is missing; install it with: apt-get update && apt-get install -y slurm-wlm munge"
    done
}

# So many ports that nobody listens on.
free_ports() {
    python3 - "$1" << 'END'
import socket
import sys

sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
END
}

configure() {
    local controller node memory cores
    read -r controller node <<< "$(free_ports 2)"
    memory=$(awk '/^MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    cores=$(env -u OMP_NUM_THREADS nproc)  # which would be taken for the number of cores
    rm -rf state spool jobs.txt
    mkdir state spool
    touch jobs.txt
    echo "Name=gpu File=/dev/null" > gres.conf  # is there to be asked for
    cat > slurm.conf << END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$controller
SlurmdPort=$node
SlurmUser=root
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No control groups, which a container may not have.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
# The usual minute until a job is looked at again is long for a test.
SchedulerParameters=sched_interval=2
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.txt
ReturnToService=2
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory Gres=gpu:1
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=500
END
}

wrap_srun() {
    mkdir -p bin
    printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$folder/slurm.conf" "$(command -v srun)" > bin/srun
    chmod +x bin/srun
}

start_munge() {
    umask 022
    head -c 1024 /dev/urandom > munge.key
    chmod 600 munge.key
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --seed-file="$folder/munge.seed" --log-file="$folder/munged.log" \
        2> munged.warnings || fail "munged did not start: $(tail -n 1 munged.warnings)"
}

# Commands would try for minutes where no controller answers.
ask() {
    timeout 2 "$@" 2> /dev/null
}

wait_until_idle() {
    until [ "$(ask sinfo --noheader --format=%t)" = idle ]; do
        if [ "$SECONDS" -gt 60 ]; then
            stop
            fail "the node did not come up within a minute; see slurmctld.log and slurmd.log in $folder"
        fi
        sleep 0.2
    done
}

start() {
    check
    if [ -e slurm.conf ]; then stop; fi
    configure
    wrap_srun
    start_munge
    slurmctld
    slurmd
    wait_until_idle
}

# Whether a process of this number and name runs, and does not merely wait to be reaped.
runs() {
    [ "$(awk '/^Name:/ {name = $2} /^State:/ {print name, $2 != "Z"}' "/proc/$1/status" 2> /dev/null)" = "$2 1" ]
}

# End the daemon whose number a file holds.
end() {
    local number attempt
    number=$(cat "$1.pid" 2> /dev/null) || return 0
    for attempt in $(seq 100); do
        runs "$number" "$1" || return 0
        [ "$attempt" != 1 ] || kill "$number"
        sleep 0.1
    done
    kill -KILL "$number"
}

# Cancel all jobs, wait until their processes are gone, and end the daemons.
stop() {
    ask scancel --user=root || true
    local deadline=$((SECONDS + 60))
    while [ -n "$(ask squeue --noheader)" ] && [ "$SECONDS" -lt "$deadline" ]; do
        sleep 0.2
    done
    local daemon
    for daemon in "${DAEMONS[@]}"; do
        end "$daemon"
    done
}

if [ $# != 2 ] || [[ $1 != start && $1 != stop ]]; then
    fail "usage: slurm_node.sh start|stop FOLDER"
fi
mkdir -p "$2"
folder=$(realpath "$2")
cd "$folder"
export SLURM_CONF=$folder/slurm.conf
"$1"
