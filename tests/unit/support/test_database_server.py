"""The server that tests and benchmarks of the index run on, where the developer names one."""

import pytest

from tests.support.database_server import Server, named_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("mysql://me:secret@db.example:3307", Server(host="db.example", port=3307, user="me", password="secret")),
        ("mysql://me@127.0.0.1/", Server(host="127.0.0.1", port=3306, user="me", password="")),
        ("mysql://me:p%40ss%2F@[::1]:3306", Server(host="::1", port=3306, user="me", password="p@ss/")),
    ],
)
def test_a_server_is_named_by_its_url(url, server):
    assert named_server({"TEST_DATABASE_URL": url}) == server


@pytest.mark.parametrize("environment", [{}, {"TEST_DATABASE_URL": ""}])
def test_where_none_is_named_a_private_one_is_started(environment):
    assert named_server(environment) is None


@pytest.mark.parametrize("url", ["127.0.0.1:3306", "postgresql://me@db", "mysql://db:3306", "mysql://me@db/archive"])
def test_another_url_is_refused_before_anything_is_made_or_dropped(url):
    with pytest.raises(ValueError, match="TEST_DATABASE_URL"):
        named_server({"TEST_DATABASE_URL": url})
