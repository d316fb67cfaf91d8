# What a runner's shell is given, after the values it needs: takes a tree in, runs one command on it, tells what came of
# it on lines that begin with a word that nobody else knows, and leaves nothing behind. POSIX sh with git, head and mktemp.
# A function, and called by the last line: the shell has read all of it before anything else reads standard input.

say() {
    printf '\n%s %s\n' "$fence" "$1"
}

refuse() {
    say "refused $1"
    exit 1
}

# Deaf to the settings of whoever it runs as, and silent on standard output.
git_alone() {
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 \
        git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 "$@" </dev/null
}

# The group first: without setsid there is none, and the command alone is ended.
end_command() {
    if [ -n "$command" ]; then
        kill -KILL -- "-$command" 2>/dev/null || kill -KILL "$command" 2>/dev/null
    fi
    command=
}

# By a signal that it can't miss in its first moments.
end_watch() {
    if [ -n "$watch" ]; then
        {
            kill -KILL "$watch"
            wait "$watch"
        } 2>/dev/null
    fi
    watch=
}

tidy() {
    trap '' HUP INT TERM
    end_watch
    end_command
    cd / && rm -rf "$dir"
}

take_in() {
    say "ready $dir"
    head -c "$size" >"$dir/bundle"
    [ "$(wc -c <"$dir/bundle")" -eq "$size" ] || refuse "the tree was cut off on its way"
    git_alone init -q --template= --object-format="$format" "$dir/tree" >&2 || refuse "git init failed there"
    cd "$dir/tree" || refuse "the tree's directory is gone"
    git_alone fetch -q --no-tags "$dir/bundle" refs/windlass/tree >&2 || refuse "git could not read the tree there"
    rm -f "$dir/bundle"
    arrived=$(git_alone rev-parse -q --verify 'FETCH_HEAD^{tree}')
    [ "$arrived" = "$tree" ] || refuse "another tree arrived: $arrived"
    git_alone checkout -q --detach FETCH_HEAD >&2 || refuse "git could not write the tree there"
    [ -z "$(git_alone status --porcelain)" ] || refuse "the files there are not those of the tree"
    cd "$dir/tree/$sub" || refuse "the directory $sub is missing there"
    case $(pwd -P)/ in
        "$dir/tree/"*) ;;
        *) refuse "the directory $sub leads out of the tree" ;;
    esac
}

tell_reports() {
    find "./$start" -type f 2>/dev/null | while IFS= read -r file; do
        case ${file#./} in
            $wanted | $wanted/*) ;;
            *) continue ;;
        esac
        length=$(wc -c <"$file") || continue
        say "file $((length)) ${file#./}"
        head -c "$((length))" "$file"
    done
}

main() {
    command=
    watch=
    dir=$(mktemp -d "${TMPDIR:-/tmp}/windlass-XXXXXX") || refuse "no temporary directory can be made there"
    trap tidy EXIT
    trap 'exit 1' HUP INT PIPE TERM
    dir=$(cd "$dir" && pwd -P)
    unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY
    take_in
    mkdir "$dir/tmp"
    lead=
    if type setsid >/dev/null 2>&1; then
        lead='setsid --'
    fi
    # A background command's own standard input is empty.
    exec 3<&0
    say began
    (
        exec 3<&-
        TMPDIR=$dir/tmp
        TERM=dumb
        export TMPDIR TERM
        run_command
    ) </dev/null &
    command=$!
    # The input ends when the connection does.
    (
        while read -r _ <&3; do :; done
        kill -TERM $$
    ) >/dev/null 2>&1 &
    watch=$!
    wait "$command"
    code=$?
    end_watch
    end_command
    say "exit $code"
    if [ -n "$wanted" ]; then
        tell_reports
    fi
    say end
    exit 0
}
