/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The examples of FIPS 180-4, and pieces against the whole. */
#include "wasm/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void is(const char *text, size_t len, const char *hex)
{
    char out[65];
    struct th_digest digest = th_sha256(text, len);
    th_digest_hex(&digest, out);
    assert_string_equal(out, hex);
}

static void the_standard_s_examples_come_out(void **state)
{
    (void)state;
    is("", 0,
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    is("abc", 3,
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_in_pieces(void **state)
{
    char piece[1000], out[65];
    struct th_sha256 hash;
    (void)state;
    memset(piece, 'a', sizeof piece);
    th_sha256_init(&hash);
    for (unsigned i = 0; i < 1000; i++) {
        size_t half = i % 997;
        th_sha256_add(&hash, piece, half);
        th_sha256_add(&hash, piece + half, sizeof piece - half);
    }
    struct th_digest digest = th_sha256_end(&hash);
    th_digest_hex(&digest, out);
    assert_string_equal(
        out,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void any_cut_gives_the_same(void **state)
{
    uint8_t data[200];
    (void)state;
    for (unsigned i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        struct th_digest whole = th_sha256(data, len);
        struct th_sha256 hash;
        th_sha256_init(&hash);
        th_sha256_add(&hash, data, len / 3);
        th_sha256_add(&hash, data + len / 3, len - len / 3);
        struct th_digest pieces = th_sha256_end(&hash);
        assert_memory_equal(&whole, &pieces, sizeof whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_s_examples_come_out),
        cmocka_unit_test(a_million_letters_in_pieces),
        cmocka_unit_test(any_cut_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
