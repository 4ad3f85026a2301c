/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and random numbers. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

/* SipHash-2-4-128, key 00 .. 0f, of the bytes 00, 01, ...: the authors'
 * vectors. */
static const struct {
    size_t len;
    const char *hash;
} vectors[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},
    {1, "da87c1d86b99af44347659119b22fc45"},
    {2, "8177228da4a45dc7fca38bdef60affe4"},
    {3, "9c70b60c5267a94e5f33b6b02985ed51"},
    {4, "f88164c12d9c8faf7d0f6e7c7bcd5579"},
    {5, "1368875980776f8854527a07690e9627"},
    {6, "14eeca338b208613485ea0308fd7a15e"},
    {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
    {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {9, "264499060ad9baabc47f8b02bb6d71ed"},
    {10, "00110dc378146956c95447d3f3d0fbba"},
    {11, "0151c568386b6677a2b4dc6f81e5dc18"},
    {12, "d626b266905ef35882634df68532c125"},
    {13, "9869e247e9c08b10d029934fc4b952f7"},
    {14, "31fcefac66d7de9c7ec7485fe4494902"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    {16, "6ee2a4ca67b054bbfd3315bf85230577"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

static void siphash_gives_its_authors_vectors(void **state)
{
    const uint64_t key[2] = {0x0706050403020100u, 0x0F0E0D0C0B0A0908u};
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        /* At every alignment. */
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t buffer[80];
            char text[33];
            for (size_t j = 0; j < vectors[i].len; j++) {
                buffer[shift + j] = (uint8_t)j;
            }
            struct th_hash128 hash =
                th_siphash128(buffer + shift, vectors[i].len, key);
            for (unsigned j = 0; j < 16; j++) {
                uint64_t half = j < 8 ? hash.lo : hash.hi;
                (void)snprintf(text + 2 * j, 3, "%02x",
                               (unsigned)(half >> (8 * (j % 8)) & 0xFF));
            }
            assert_string_equal(text, vectors[i].hash);
        }
    }
}

static void hash64_changes_about_half_of_its_bits_with_any_bit(void **state)
{
    struct th_rng rng;
    (void)state;
    th_rng_init(&rng, 1);
    for (size_t len = 1; len <= 24; len++) {
        unsigned flipped[64] = {0};
        unsigned tries = 0;
        for (unsigned round = 0; round < 40; round++) {
            uint8_t data[24];
            for (size_t i = 0; i < len; i++) {
                data[i] = (uint8_t)th_rng_next(&rng);
            }
            uint64_t before = th_hash64(data, len, round);
            for (size_t bit = 0; bit < 8 * len; bit++, tries++) {
                data[bit / 8] ^= (uint8_t)(1u << bit % 8);
                uint64_t change = before ^ th_hash64(data, len, round);
                data[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_true(change != 0);
                for (unsigned i = 0; i < 64; i++) {
                    flipped[i] += (unsigned)(change >> i & 1);
                }
            }
        }
        for (unsigned i = 0; i < 64; i++) {
            assert_in_range(flipped[i], tries * 3 / 10, tries * 7 / 10);
        }
    }
}

static void hash64_depends_on_length_and_seed(void **state)
{
    const uint8_t zeros[32] = {0};
    (void)state;
    for (size_t a = 0; a < 32; a++) {
        for (size_t b = 0; b < a; b++) {
            assert_true(th_hash64(zeros, a, 0) != th_hash64(zeros, b, 0));
        }
        assert_true(th_hash64(zeros, a, 0) != th_hash64(zeros, a, 1));
        assert_true(th_hash64(zeros, a, 7) == th_hash64(zeros, a, 7));
    }
    assert_true(th_hash64(NULL, 0, 3) == th_hash64(zeros, 0, 3));
}

/* The algorithm's own statement for the state 1, 2, 3, 4. */
static void xoshiro_gives_the_numbers_of_its_definition(void **state)
{
    struct th_rng rng = {{1, 2, 3, 4}};
    (void)state;
    assert_true(th_rng_next(&rng) == 11520);
    assert_true(th_rng_next(&rng) == 0);
    assert_true(th_rng_next(&rng) == 1509978240);
    assert_true(th_rng_next(&rng) == 1215971899390074240);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
    struct th_rng a;
    struct th_rng b;
    struct th_rng c;
    unsigned same = 0;
    (void)state;
    th_rng_init(&a, 42);
    th_rng_init(&b, 42);
    th_rng_init(&c, 43);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t value = th_rng_next(&a);
        assert_true(value == th_rng_next(&b));
        same += value == th_rng_next(&c) ? 1 : 0;
    }
    assert_int_equal(same, 0);
}

static void numbers_below_a_bound_are_even(void **state)
{
    unsigned counts[7] = {0};
    struct th_rng rng;
    (void)state;
    th_rng_init(&rng, 5);
    for (unsigned i = 0; i < 70000; i++) {
        uint64_t value = th_rng_below(&rng, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9500, 10500);
    }
    assert_true(th_rng_below(&rng, 1) == 0);
    /* A bound for which a remainder alone would favour the lower third. */
    unsigned low = 0;
    for (unsigned i = 0; i < 30000; i++) {
        low += th_rng_below(&rng, UINT64_C(3) << 62) < UINT64_C(1) << 62;
    }
    assert_in_range(low, 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_its_authors_vectors),
        cmocka_unit_test(hash64_changes_about_half_of_its_bits_with_any_bit),
        cmocka_unit_test(hash64_depends_on_length_and_seed),
        cmocka_unit_test(xoshiro_gives_the_numbers_of_its_definition),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(numbers_below_a_bound_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
