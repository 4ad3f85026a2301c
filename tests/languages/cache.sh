# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where compiled code is kept beyond a test: a module of Go takes the engine
# 10 seconds.
compiled=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}/actors/compiled
