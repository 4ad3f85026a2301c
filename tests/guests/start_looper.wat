;; SPDX-License-Identifier: Apache-2.0
;; Loops in the start function, that is while it is instantiated. C has no
;; such function, so this one is text; Wasmtime reads it.
(module
  (memory (export "memory") 1)
  (func $loop (loop $again (br $again)))
  (start $loop)
  (func (export "run")))
