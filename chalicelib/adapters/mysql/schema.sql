-- The index of the archive, and the only DDL. It runs on MySQL 8 (Aurora) and MariaDB 10.11, and can be repeated.
-- Facts about it that the code needs are in schema.py.
--
-- Text is compared byte by byte (utf8mb4_bin), since matching is case-sensitive in DICOM. Person names are stored
-- folded (without case, accents and width; see chalicelib/dicomweb/qido/person_names.py), in one column for each
-- component group, so that they compare as bytes too. Columns serve the search only: the documents that it answers
-- with are in DynamoDB. Studies, series and instances are never deleted; ids are internal and never part of an answer.

CREATE TABLE IF NOT EXISTS publications (
    study_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    dirty BIGINT UNSIGNED NOT NULL,
    published BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (study_instance_uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- For the aggregate of the whole study, series_instance_uid is ''.
CREATE TABLE IF NOT EXISTS aggregates (
    study_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    series_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    etag VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    digest VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (study_instance_uid, series_instance_uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE IF NOT EXISTS studies (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    study_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    study_date DATE NULL,
    study_time TIME(6) NULL,
    accession_number VARCHAR(128) COLLATE utf8mb4_bin NULL,
    referring_physician_name VARCHAR(240) COLLATE utf8mb4_bin NULL,
    referring_physician_name_ideographic VARCHAR(240) COLLATE utf8mb4_bin NULL,
    referring_physician_name_phonetic VARCHAR(240) COLLATE utf8mb4_bin NULL,
    study_description VARCHAR(128) COLLATE utf8mb4_bin NULL,
    patient_name VARCHAR(240) COLLATE utf8mb4_bin NULL,
    patient_name_ideographic VARCHAR(240) COLLATE utf8mb4_bin NULL,
    patient_name_phonetic VARCHAR(240) COLLATE utf8mb4_bin NULL,
    patient_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    issuer_of_patient_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    patient_birth_date DATE NULL,
    patient_sex VARCHAR(128) COLLATE utf8mb4_bin NULL,
    study_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (id),
    UNIQUE KEY studies_uid (study_instance_uid),
    -- Read backwards, this is the order of studies in every answer. It includes the names so that an ordered scan
    -- for a name reads the index alone. A key has at most 3072 bytes, hence VARCHAR(240).
    KEY studies_order (
        study_date, study_time, study_instance_uid,
        patient_name, patient_name_ideographic, patient_name_phonetic
    ),
    KEY studies_accession_number (accession_number),
    KEY studies_patient_id (patient_id),
    KEY studies_patient_name (patient_name),
    KEY studies_patient_name_ideographic (patient_name_ideographic),
    KEY studies_patient_name_phonetic (patient_name_phonetic),
    KEY studies_patient_birth_date (patient_birth_date),
    KEY studies_description (study_description)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Words of person names, looked up by their beginning, for fuzzy matching and wildcards. tag is the number of the
-- attribute's tag. The word '' marks a name whose words are not all stored.
CREATE TABLE IF NOT EXISTS person_name_words (
    tag INT UNSIGNED NOT NULL,
    word VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    study_key BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (tag, word, study_key),
    KEY person_name_words_study (study_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- The endings of each different word above. A text inside a word is the beginning of one of its endings, so that the
-- index finds it. Rows are never deleted: the endings of a word that is no longer in use lead to no study.
CREATE TABLE IF NOT EXISTS person_name_endings (
    ending VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    word VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (ending, word)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- The endings of each different value of the attributes that attributes.py marks with ends_indexed, in the same way.
-- They are cut to 16 characters, and are bytes, since text collations ignore trailing blanks. Rows are never deleted:
-- the endings of a value that is no longer in use lead to no study.
CREATE TABLE IF NOT EXISTS text_endings (
    tag INT UNSIGNED NOT NULL,
    ending VARBINARY(64) NOT NULL,
    value VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (tag, ending, value)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Number of studies on each day, by which long lists of studies are counted and skipped. Day 1 is 0001-01-01; day 0
-- stands for the studies without a date.
CREATE TABLE IF NOT EXISTS study_days (
    day INT UNSIGNED NOT NULL,
    studies INT UNSIGNED NOT NULL,
    PRIMARY KEY (day)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- The reference is called study_key, since study_id is the column of the DICOM attribute Study ID.
CREATE TABLE IF NOT EXISTS series (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    study_key BIGINT UNSIGNED NOT NULL,
    series_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    series_date DATE NULL,
    series_time TIME(6) NULL,
    modality VARCHAR(128) COLLATE utf8mb4_bin NULL,
    series_description VARCHAR(128) COLLATE utf8mb4_bin NULL,
    series_number INT NULL,
    performed_procedure_step_start_date DATE NULL,
    performed_procedure_step_start_time TIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY series_of_study (study_key, series_instance_uid),
    KEY series_order (series_instance_uid, study_key),
    -- Both serve ModalitiesInStudy: one from the modality to its studies, the other from the study to its modalities.
    KEY series_modality (modality, study_key),
    KEY series_study_modality (study_key, modality)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- One row for each item of Request Attributes Sequence.
CREATE TABLE IF NOT EXISTS request_attributes (
    series_key BIGINT UNSIGNED NOT NULL,
    item SMALLINT UNSIGNED NOT NULL,
    scheduled_procedure_step_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    requested_procedure_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (series_key, item),
    KEY request_attributes_step (scheduled_procedure_step_id),
    KEY request_attributes_procedure (requested_procedure_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Clustered by series, so that the instances of one series are next to each other.
CREATE TABLE IF NOT EXISTS instances (
    series_key BIGINT UNSIGNED NOT NULL,
    sop_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sop_class_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    instance_number INT NULL,
    PRIMARY KEY (series_key, sop_instance_uid),
    KEY instances_order (sop_instance_uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
