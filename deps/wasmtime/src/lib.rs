// SPDX-License-Identifier: Apache-2.0
//! Nothing of our own: re-exports the C API so that one static library holds it.
pub use wasmtime_c_api::*;
