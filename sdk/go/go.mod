// SPDX-License-Identifier: Apache-2.0
module theater

go 1.24
