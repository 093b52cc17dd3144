"""Migrated databases for tests, each as new: copied once, and wiped clean for the next test.

Wiping takes a fraction of the time of a copy. What a test did to the tables themselves is not
mended: its database is dropped then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg

TEMPLATE = "template_talker"

TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
SHAPE = """
SELECT md5(string_agg(part::text, '' ORDER BY part)) FROM (
    SELECT format('class %s', oid) FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT format('function %s', oid) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT format('trigger %s %s', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT format('constraint %s %s', oid, convalidated) FROM pg_constraint
    UNION ALL SELECT format('default %s', oid) FROM pg_attrdef
    UNION ALL SELECT format('%s %s %s %s', attrelid, attname, atttypid, attnotnull)
        FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting
) AS parts (part)
"""
WIPE = """
DO $$
DECLARE found record; filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', found.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', found.name);
        END IF;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
END $$
"""
OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def of_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


@dataclass
class Databases:
    """Those of one Postgres, on which `TEMPLATE` is a migrated one."""

    url: str
    _free: list[str] = field(default_factory=list)
    _shape: str = ""
    _rows: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def new(self) -> Iterator[str]:
        """The address of one as the migrations leave it. Nobody knows its name from before."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            if self._free:
                connection.execute(f"ALTER DATABASE {self._free.pop()} RENAME TO {name}")
            else:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        try:
            yield of_database(self.url, name)
        finally:
            if self._wiped(name):
                self._free.append(name)
            else:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _wiped(self, name: str) -> bool:
        """Whether it is as new again."""
        if not self._shape:
            self._read_template()
        with psycopg.connect(of_database(self.url, name)) as connection:
            connection.execute(OTHERS)
            if _shape(connection) != self._shape:
                return False
            connection.execute(WIPE)
            connection.execute("SET LOCAL session_replication_role = replica")
            for table, rows in self._rows.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(rows)
        return True

    def _read_template(self) -> None:
        with psycopg.connect(of_database(self.url, TEMPLATE)) as connection:
            self._shape = _shape(connection)
            for (table,) in connection.execute(TABLES).fetchall():
                with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                    if rows := b"".join(copy):
                        self._rows[table] = rows


def _shape(connection: psycopg.Connection) -> str:
    """The same for two databases whose tables, functions and constraints are the same."""
    [[shape]] = connection.execute(SHAPE).fetchall()
    return str(shape)
