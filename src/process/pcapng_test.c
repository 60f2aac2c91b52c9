#include "process/pcapng.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct pcapng_interface any = { "any", 113, 262144 };

static uint32_t word(const struct buffer *file, size_t at)
{
	uint32_t value;

	assert_true(at + sizeof(value) <= buffer_len(file));
	memcpy(&value, buffer_data(file) + at, sizeof(value));
	return value;
}

/* The types of all blocks, in hex; each must end with the length that it begins with. */
static char *blocks(const struct buffer *file)
{
	struct buffer types = { 0 };

	for (size_t at = 0; at < buffer_len(file);) {
		uint32_t len = word(file, at + 4);

		assert_int_equal(len % 4, 0);
		assert_true(len >= 12);
		assert_int_equal(word(file, at + len - 4), len);
		buffer_printf(&types, "%s%x", at ? " " : "", word(file, at));
		at += len;
	}
	return buffer_take_text(&types);
}

static void secrets_stand_before_packets(void **state)
{
	struct buffer file = { 0 };
	char *types;

	pcapng_begin(&file, "sallyport", &any, slice_of("CLIENT_RANDOM aa bb\n"));
	pcapng_packet(&file, 1, 4, slice_of("abcd"));
	types = blocks(&file);
	assert_string_equal(types, "a0d0d0a 1 a 6");
	free(types);
	buffer_finish(&file);
}

static void without_secrets_there_is_no_block_of_them(void **state)
{
	struct buffer file = { 0 };
	char *types;

	pcapng_begin(&file, "sallyport", &any, (struct slice){ 0 });
	types = blocks(&file);
	assert_string_equal(types, "a0d0d0a 1");
	free(types);
	buffer_finish(&file);
}

static void a_packet_has_its_time_and_both_lengths(void **state)
{
	struct buffer file = { 0 };

	pcapng_packet(&file, 0x0102030405060708u, 1500, slice_of("abcde"));
	assert_int_equal(word(&file, 12), 0x01020304);
	assert_int_equal(word(&file, 16), 0x05060708);
	assert_int_equal(word(&file, 20), 5);
	assert_int_equal(word(&file, 24), 1500);
	assert_memory_equal(buffer_data(&file) + 28, "abcde\0\0\0", 8);
	buffer_finish(&file);
}

static void a_packet_takes_as_much_as_was_said(void **state)
{
	for (size_t len = 0; len < 9; len++) {
		struct buffer file = { 0 };

		pcapng_packet(&file, 0, 9, (struct slice){ "123456789", len });
		assert_int_equal(buffer_len(&file), pcapng_packet_bytes(len));
		buffer_finish(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_stand_before_packets),
		cmocka_unit_test(without_secrets_there_is_no_block_of_them),
		cmocka_unit_test(a_packet_has_its_time_and_both_lengths),
		cmocka_unit_test(a_packet_takes_as_much_as_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
