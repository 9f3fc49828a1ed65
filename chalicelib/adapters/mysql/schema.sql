-- The index of the archive: the only DDL. For MySQL 8 (Aurora) and MariaDB 10.11 alike, and idempotent.
--
-- Text is compared byte by byte (utf8mb4_bin), as DICOM wants it: case-sensitive. Person names are stored
-- folded (no case, accents, width; see chalicelib/dicomweb/qido/person_names.py), one column a component group,
-- so they too compare as bytes. The ready answers lie in DynamoDB: a column is here to be searched only.
-- Rows are never deleted; ids are the archive's own and never leave it.

CREATE TABLE IF NOT EXISTS publications (
    study_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    dirty BIGINT UNSIGNED NOT NULL,
    published BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (study_instance_uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- series_instance_uid is '' for the aggregate of the whole study.
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
    patient_birth_date DATE NULL,
    patient_sex VARCHAR(128) COLLATE utf8mb4_bin NULL,
    study_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (id),
    UNIQUE KEY studies_uid (study_instance_uid),
    -- Read backwards it is the order of every list of studies. The names are in it so that it can be walked
    -- for a name without reading the rows; all together they may have 3072 bytes, hence VARCHAR(240).
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

-- Words of person names, for fuzzy matching: a word's beginning is looked up. tag is the attribute's.
CREATE TABLE IF NOT EXISTS person_name_words (
    tag INT UNSIGNED NOT NULL,
    word VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    study_key BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (tag, word, study_key),
    KEY person_name_words_study (study_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- The ends of each different word above: a text inside a word begins one of them, so an index finds it.
-- Rows are never deleted; an end of a word that no name has any more leads to no study.
CREATE TABLE IF NOT EXISTS person_name_endings (
    ending VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    word VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (ending, word)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- The ends of each different value of the attributes that attributes.py marks with ends_indexed, as above: a
-- text inside a value begins one of them. They are cut to 16 characters, and bytes, since in the text
-- collations blanks at the end do not count. Rows are never deleted; an end of a value that no study has any
-- more leads to none.
CREATE TABLE IF NOT EXISTS text_endings (
    tag INT UNSIGNED NOT NULL,
    ending VARBINARY(64) NOT NULL,
    value VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (tag, ending, value)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- How many studies each day has: what counts and skips long lists. day counts from 0001-01-01, which is 1;
-- 0 holds the studies without a date.
CREATE TABLE IF NOT EXISTS study_days (
    day INT UNSIGNED NOT NULL,
    studies INT UNSIGNED NOT NULL,
    PRIMARY KEY (day)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- study_key, not study_id: that is an attribute of DICOM.
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
    -- Serves ModalitiesInStudy, whichever of the two tables the server begins with.
    KEY series_modality (modality, study_key),
    KEY series_study_modality (study_key, modality)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- One row an item of Request Attributes Sequence.
CREATE TABLE IF NOT EXISTS request_attributes (
    series_key BIGINT UNSIGNED NOT NULL,
    item SMALLINT UNSIGNED NOT NULL,
    scheduled_procedure_step_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    requested_procedure_id VARCHAR(128) COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (series_key, item),
    KEY request_attributes_step (scheduled_procedure_step_id),
    KEY request_attributes_procedure (requested_procedure_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Clustered by series: the instances of one are read in one piece.
CREATE TABLE IF NOT EXISTS instances (
    series_key BIGINT UNSIGNED NOT NULL,
    sop_instance_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sop_class_uid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    instance_number INT NULL,
    PRIMARY KEY (series_key, sop_instance_uid),
    KEY instances_order (sop_instance_uid)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
