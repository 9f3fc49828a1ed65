import json

from localstack.parts.viewer import app_config


def test_the_viewer_asks_this_archive_on_whatever_host_it_is():
    text = app_config()

    assert text.startswith("window.config = ")
    config = json.loads(text.removeprefix("window.config = ").rstrip().removesuffix(";"))
    (source,) = config["dataSources"]
    assert source["sourceName"] == config["defaultDataSourceName"]
    assert source["configuration"]["qidoRoot"] == source["configuration"]["wadoRoot"] == "/dicomweb"
