/*
 * pages TEMPLATE: prints it with the tables filled in (ctl/pages.h).
 * pages -c NAME FILE: prints a C source with the file in it.
 */
#include "ctl/pages.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_all(const char *path, struct buffer *text)
{
	FILE *file = fopen(path, "r");
	size_t got = 1;

	while (file && got) {
		got = fread(buffer_reserve(text, 65536), 1, 65536, file);
		buffer_filled(text, got);
	}
	if (!file || ferror(file)) {
		perror(path);
		if (file)
			fclose(file);
		return false;
	}
	fclose(file);
	return true;
}

int main(int argc, char **argv)
{
	bool embed = argc == 4 && strcmp(argv[1], "-c") == 0;
	const char *path = argc > 1 ? argv[argc - 1] : "";
	struct buffer text = { 0 }, out = { 0 };
	struct slice all;
	char *why = NULL;
	bool good = (embed || argc == 2) && read_all(path, &text);

	all = (struct slice){ buffer_data(&text), buffer_len(&text) };
	if (good && embed) {
		pages_embed(&out, argv[2], all);
	} else if (good && !pages_fill(&out, all, &why)) {
		fprintf(stderr, "%s: %s\n", path, why);
		good = false;
	}
	good = good && fwrite(buffer_data(&out), 1, buffer_len(&out), stdout) == buffer_len(&out);
	good = fflush(stdout) == 0 && good;
	free(why);
	buffer_finish(&text);
	buffer_finish(&out);
	return good ? 0 : 1;
}
