"""A Slurm cluster of one node, this machine, for as long as a test takes.

Debian has what it needs: `apt-get install slurm-wlm munge`.
"""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from tests.tree import HANGING

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
# Where Debian keeps daemons, which is not on the path of all users.
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

SETTINGS = """\
ClusterName=single
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=1
JobRequeue=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Return the programs of Slurm that are not there."""
    return [name for name in PROGRAMS if shutil.which(name, path=PLACES) is None]


class Cluster:
    """The daemons of the cluster, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.daemons = folder, []
        own = os.pathsep.join([str(folder / "bin"), PLACES])
        self.env = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": own}
        self.node = socket.gethostname().partition(".")[0]

    def start(self) -> None:
        """Start it, and wait until its node takes jobs."""
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        # Snakemake's jobs forget the settings of Slurm, which others have in /etc.
        srun = self.folder / "bin" / "srun"
        real, settings = shutil.which("srun", path=PLACES), self.env["SLURM_CONF"]
        srun.write_text(f'#!/bin/sh\nSLURM_CONF="{settings}" exec {real} "$@"\n')
        srun.chmod(0o755)
        settings = SETTINGS.format(
            host=self.node,
            user=getpass.getuser(),
            ports=_free_ports(2),
            folder=self.folder,
            cpus=psutil.cpu_count(),
            memory=psutil.virtual_memory().total // 2**20 * 9 // 10,
        )
        (self.folder / "slurm.conf").write_text(settings)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
        places = [f"--{name}={self.folder}/munge.{file}" for name, file in files.items()]
        self._daemon("munged", "--foreground", "--force", *places)
        wait_for((self.folder / "munge.socket").exists)
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D", "-N", self.node)
        wait_for(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T", check=False))

    def _daemon(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("w")
        command = [shutil.which(name, path=PLACES), *arguments]
        self.daemons.append(
            subprocess.Popen(
                command, env={**os.environ, **self.env}, stdout=log, stderr=subprocess.STDOUT
            )
        )

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command of Slurm, and return what it prints."""
        ran = subprocess.run(
            command, env={**os.environ, **self.env}, check=check, text=True, capture_output=True
        )
        return ran.stdout

    def jobs(self, state: str) -> dict[str, str]:
        """Return what the jobs in a state are about, their comments, by their numbers."""
        listed = self.run("squeue", "--noheader", "--format=%i|%k", f"--states={state}")
        return dict(line.split("|", 1) for line in listed.splitlines())

    def processes_of(self, job: str) -> list[psutil.Process]:
        """Return the processes that a job consists of."""
        return [
            process
            for process in psutil.process_iter()
            if _variable(process, "SLURM_JOB_ID") == job
        ]

    def stop(self) -> None:
        """End its jobs and its daemons."""
        self.run("scancel", "--state=PENDING", f"--user={getpass.getuser()}", check=False)
        self.run("scancel", f"--user={getpass.getuser()}", check=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=HANGING)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + HANGING
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def _variable(process: psutil.Process, name: str) -> str | None:
    try:
        return process.environ().get(name)
    except psutil.Error:  # it has ended, or is not ours
        return None


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
