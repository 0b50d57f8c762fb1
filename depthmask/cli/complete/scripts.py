"""The scripts that make shells complete `depthmask` and `python -m depthmask`."""

from __future__ import annotations

import sys

_VERSIONED = f"python{sys.version_info.major}.{sys.version_info.minor}"
_PYTHONS = ("python", "python3", _VERSIONED)

_BASH = """\
_depthmask_words() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <("$@" completion words "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" \\
        2>/dev/null)
    if [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
_depthmask() {
    _depthmask_words "${COMP_WORDS[0]:-depthmask}"
}
_depthmask_python() {
    local at python="${COMP_WORDS[0]/#\\~/$HOME}"
    for ((at = 1; at + 1 < COMP_CWORD; at++)); do
        if [[ ${COMP_WORDS[at]} == -m && ${COMP_WORDS[at + 1]} == depthmask ]]; then
            _depthmask_words "$python" -m depthmask
            return
        fi
    done
    local earlier="_depthmask_earlier_${1//[^a-zA-Z0-9]/_}"
    [[ -n ${!earlier} ]] && "${!earlier}" "$@"
}
_depthmask_register() {
    # What completed python before goes on with it, unless the module is depthmask.
    local python specification
    for python in @PYTHONS@; do
        specification="$(complete -p "$python" 2>/dev/null)"
        if [[ $specification =~ -F\\ ([^ ]+) && ${BASH_REMATCH[1]} != _depthmask_python ]]; then
            printf -v "_depthmask_earlier_${python//[^a-zA-Z0-9]/_}" %s "${BASH_REMATCH[1]}"
        fi
        complete -o bashdefault -o default -F _depthmask_python "$python"
    done
    complete -o bashdefault -o default -F _depthmask depthmask
}
_depthmask_register
"""

_ZSH = """\
#compdef depthmask
_depthmask_words() {
    local -a candidates
    candidates=("${(@f)$("$@" completion words "$LBUFFER" 2>/dev/null)}")
    candidates=(${candidates:#})
    (( $#candidates )) || { _files; return }
    compadd -S '' -- $candidates
}
_depthmask() {
    _depthmask_words "${~words[1]}"
}
_depthmask_python() {
    local at=${words[(ie)-m]}
    if (( at < CURRENT - 1 )) && [[ $words[at+1] == depthmask ]]; then
        _depthmask_words "${~words[1]}" -m depthmask
    elif (( $+functions[_python] )) || autoload -Uz +X _python 2>/dev/null; then
        _python "$@"
    else
        _files
    fi
}
compdef _depthmask depthmask
compdef _depthmask_python @PYTHONS@
"""

_FISH = """\
function __depthmask_is_module
    string match -qr -- '^\\s*\\S*python[0-9.]*\\s+(\\S+\\s+)*-m\\s+depthmask\\s' (commandline -cp)
end
function __depthmask_words
    set -l typed (commandline -cp)
    set -l python (string split -n ' ' -- $typed)[1]
    eval $python -m depthmask completion words (string escape -- $typed) 2>/dev/null
end
complete -c depthmask -f -a '(depthmask completion words (commandline -cp) 2>/dev/null)'
for python in @PYTHONS@
    complete -c $python -f -n __depthmask_is_module -a '(__depthmask_words)'
end
"""

SCRIPTS = {
    shell: text.replace("@PYTHONS@", " ".join(_PYTHONS))
    for shell, text in {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}.items()
}
"""Shell -> its script, which calls `completion words LINE`."""
