"""The audit: advisories in the format of osv.dev, compared with a lock; and what uv says."""

import json

import pytest
import yaml
from click.testing import CliRunner

from press import audit
from press.cli import main

LOCK = """\
version = 1

[[package]]
name = "poolscreen"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "typing-extensions"
version = "4.9.0"
source = { registry = "https://example.org/simple" }
"""


def advisory(name="typing-extensions", ecosystem="PyPI", ranges=(), versions=(), **more):
    """An advisory as the databases have it."""
    return {
        "schema_version": "1.7.3",
        "id": "PYSEC-2026-1",
        "aliases": ["CVE-2026-1"],
        "modified": "2026-11-20T08:00:00Z",
        "published": "2026-11-19T08:00:00Z",
        "details": "A long file is read in full.\n\nMore about it.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": [
            {
                "package": {"name": name, "ecosystem": ecosystem, "purl": f"pkg:pypi/{name}"},
                "ranges": [
                    {
                        "type": "GIT",
                        "repo": "https://example.org/a",
                        "events": [{"introduced": "0"}, {"fixed": "9f1c"}],
                    },
                    *({"type": "ECOSYSTEM", "events": list(events)} for events in ranges),
                ],
                "versions": list(versions),
            }
        ],
        "references": [{"type": "WEB", "url": "https://example.org/a"}],
        **more,
    }


ALL = [{"introduced": "0"}]
UNSAFE = {
    "ever since": advisory(ranges=[ALL]),
    "mended later": advisory(ranges=[[*ALL, {"fixed": "4.10.0"}]]),
    "last of them": advisory(ranges=[[{"introduced": "4.9"}, {"last_affected": "4.9.0"}]]),
    "came again": advisory(ranges=[[{"introduced": "4.8"}, {"fixed": "4.2"}, *ALL]]),
    "one of two ranges": advisory(ranges=[[*ALL, {"fixed": "4.1"}], [{"introduced": "4.9rc1"}]]),
    "by its version": advisory(versions=["4.8.0", "4.9"]),
    "under another spelling": advisory(name="Typing_Extensions", ranges=[ALL]),
    "a range that cannot be read": advisory(ranges=[[*ALL, {"fixed": "2004d"}]]),
}
SAFE = {
    "mended": advisory(ranges=[[*ALL, {"fixed": "4.9.0"}]]),
    "mended before, as numbers count": advisory(ranges=[[*ALL, {"fixed": "4.9.0rc1"}]]),
    "came later": advisory(ranges=[[{"introduced": "4.10"}]]),
    "ended before": advisory(ranges=[[*ALL, {"last_affected": "4.8.9"}]]),
    "other versions": advisory(versions=["4.9.0rc1", "2004d"]),
    "another package": advisory(name="typing", ranges=[ALL]),
    "withdrawn": advisory(ranges=[ALL], withdrawn="2026-11-21T08:00:00Z"),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a lock of one package, and no network: nothing answers where PyPI would."""
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").touch()
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "uv.lock").write_text(LOCK)
    (tmp_path / "list").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    stand_in(tmp_path, "echo no network >&2; exit 2")
    return tmp_path


def stand_in(project, script):
    """Put a program in the place of uv, which says what uv would say with a network."""
    uv = project / "bin" / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)


def run(*arguments):
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


def write(project, *advisories):
    for number, said in enumerate(advisories):
        (project / "list" / f"{number}.json").write_text(json.dumps(said))
    return project / "list"


@pytest.mark.parametrize("said", UNSAFE.values(), ids=UNSAFE)
def test_unsafe(project, said):
    ran = run("--advisories", write(project, *SAFE.values(), said))
    assert ran.exit_code == 1
    assert "typing-extensions 4.9.0: PYSEC-2026-1, CVE-2026-1: A long file is read" in ran.stderr
    assert ran.stderr.count("PYSEC") == 1


def test_safe(project):
    ran = run("--advisories", write(project, *SAFE.values()))
    assert ran.exit_code == 0, ran.output
    held = len(SAFE) - 1  # one is withdrawn
    assert f"None of {held} advisories (the last of 2026-11-20) is about one of the 1" in ran.output


def test_where_it_is_mended(project):
    ran = run("--advisories", write(project, UNSAFE["mended later"], UNSAFE["ever since"]))
    assert "Fixed in 4.10.0.\n" in ran.stderr
    assert "Fixed in no version.\n" in ran.stderr


@pytest.mark.parametrize("kind", ["yaml", "one file"])
def test_a_list_of_another_kind(project, kind):
    said, given = UNSAFE["mended later"], project / "list"
    if kind == "yaml":
        (given / "vulns").mkdir()
        (given / "vulns" / "a.yaml").write_text(yaml.safe_dump(said))
        (given / "others.yaml").write_text("- no advisory\n")
    else:
        given = write(project, said) / "0.json"
    ran = run("--advisories", given)
    assert ran.exit_code == 1
    assert "typing-extensions 4.9.0: PYSEC-2026-1" in ran.stderr


@pytest.mark.parametrize("others", [[], [advisory(ecosystem="npm", ranges=[ALL])]], ids=len)
def test_a_list_without_advisories_is_no_sign_of_safety(project, others):
    ran = run("--advisories", write(project, *others))
    assert ran.exit_code == 1
    assert f"error: {project / 'list'} holds no advisory about a package of PyPI" in ran.stderr


def test_another_ecosystem_counts_for_nothing(project):
    other = advisory(ecosystem="npm", ranges=[ALL])
    assert run("--advisories", write(project, other, *SAFE.values())).exit_code == 0


def test_a_damaged_advisory_is_named(project):
    (write(project, *SAFE.values()) / "9.json").write_text('{"id": ')
    ran = run("--advisories", project / "list")
    assert ran.exit_code == 1
    assert "9.json cannot be read" in ran.stderr


def test_nothing_could_be_looked_up():
    """With uv itself, which reaches nothing."""
    ran = CliRunner().invoke(
        main,
        ["audit"],
        env={
            "UV_HTTP_RETRIES": "0",
            "ALL_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
        },
    )
    assert ran.exit_code == 1
    assert "error: no advisory was looked up" in ran.stderr
    assert "make audit ADVISORIES=folder" in ran.stderr
    assert "Found no" not in ran.output


def test_no_newer_versions_could_be_looked_up(project):
    ran = run("--advisories", write(project, *SAFE.values()))
    assert "Newer versions were not looked up" in ran.output
    assert "Nothing is out of date" not in ran.output


def test_what_uv_finds(project):
    stand_in(project, "case $1 in audit) echo a 1.0 has 1 known vulnerability; exit 1;; esac")
    ran = run()
    assert ran.exit_code == 1
    assert "a 1.0 has 1 known vulnerability" in ran.stderr


def test_what_is_out_of_date_is_only_listed(project):
    stand_in(
        project,
        "case $1 in audit) echo Found no known vulnerabilities >&2;; "
        "*) echo 'p v1'; echo '├── a v1'; echo '└── b v1 (latest: v2)';; esac",
    )
    ran = run()
    assert ran.exit_code == 0
    assert "Out of date:\nb v1 (latest: v2)\n" in ran.output
    assert "Found no known vulnerabilities" in ran.output


def test_the_projects_own_lock_is_read():
    assert dict(audit.locked()).keys() >= {"numpy", "sphinx", "ruff"}
    assert "poolscreen" not in dict(audit.locked())
