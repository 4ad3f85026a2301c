// SPDX-License-Identifier: Apache-2.0
module theater/bench/peers

go 1.19
