"""URL templates of the API's resources, as Chalice's routes and API Gateway write them (PS3.18 §10.4.1, §10.6.1)."""

STUDIES = "/dicomweb/studies"
ALL_SERIES = "/dicomweb/series"
ALL_INSTANCES = "/dicomweb/instances"

STUDY = STUDIES + "/{study_instance_uid}"
SERIES_OF_STUDY = STUDY + "/series"
INSTANCES_OF_STUDY = STUDY + "/instances"

SERIES = SERIES_OF_STUDY + "/{series_instance_uid}"
INSTANCES_OF_SERIES = SERIES + "/instances"

INSTANCE = INSTANCES_OF_SERIES + "/{sop_instance_uid}"
FRAMES = INSTANCE + "/frames/{frame_list}"
BULK_DATA = INSTANCE + "/bulkdata/{path}"

STUDY_METADATA = STUDY + "/metadata"
SERIES_METADATA = SERIES + "/metadata"
INSTANCE_METADATA = INSTANCE + "/metadata"
