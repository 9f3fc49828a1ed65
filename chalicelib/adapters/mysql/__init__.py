"""The index of studies on MySQL 8 (Aurora) or MariaDB, through pymysql."""
