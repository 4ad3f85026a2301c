# SPDX-License-Identifier: Apache-2.0
# For the other files: the value of a key of the line of `theater bench --json`
# that was read, whose name occurs once; "" where it is not there.
function value(key,   text) {
    if (!match($0, "\"" key "\":\"?[^,\"}]*")) {
        return ""
    }
    text = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
    sub(/^"/, "", text)
    return text
}
