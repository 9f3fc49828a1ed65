import pytest

from localstack import install
from localstack.install import Package, install_packages, requirements_digest


def test_a_program_that_is_there_needs_no_package():
    assert Package("dash", "is a shell", command="sh").is_there()
    assert not Package("nothing", "is not there", command="no-such-program").is_there()
    assert not Package("nothing", "is not there", file="/no/such/file").is_there()
    assert Package("python3", "is running", module="json").is_there()


def test_without_root_and_sudo_the_packages_are_listed_and_nothing_is_done(monkeypatch, capsys):
    monkeypatch.setattr(install, "_privilege", lambda: None)
    monkeypatch.setattr(install, "_run", lambda command: pytest.fail(f"ran {command}"))

    with pytest.raises(SystemExit) as caught:
        install_packages([Package("nginx", "is the edge", command="nginx")])

    assert caught.value.code == 1
    captured = capsys.readouterr()
    assert "is the edge" in captured.out
    assert "apt-get install --no-install-recommends nginx" in captured.err


def test_packages_are_installed_without_starting_their_services(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(install, "_privilege", list)
    monkeypatch.setattr(install, "_POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(install, "_run", lambda command: commands.append(" ".join(command)))

    install_packages([Package("mariadb-server-core", "is the index", command="mariadbd")])

    assert "exit 101" in commands[0]
    assert commands[1].endswith("apt-get -qq update")
    assert commands[2].endswith("--no-install-recommends mariadb-server-core")
    assert commands[3] == f"rm -f {tmp_path / 'policy-rc.d'}"


def test_a_change_in_an_included_requirements_file_is_noticed(tmp_path):
    (tmp_path / "dev.txt").write_text("-r base.txt\npytest==1\n")
    (tmp_path / "base.txt").write_text("boto3==1\n")
    before = requirements_digest(tmp_path / "dev.txt")

    (tmp_path / "base.txt").write_text("boto3==2\n")

    assert requirements_digest(tmp_path / "dev.txt") != before
