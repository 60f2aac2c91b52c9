#include "ipc/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.data, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes.data += n;
		bytes.len -= (size_t)n;
	}
	return true;
}

int memfd_seal(const char *name, struct slice bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (!write_all(fd, bytes) || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool memfd_map(int fd, size_t max, struct slice *bytes, const char **why)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *memory;

	if (seals < 0 || (seals & SEALS) != SEALS) {
		*why = "not a sealed memfd";
		return false;
	}
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > max) {
		*why = "empty or too large";
		return false;
	}
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		*why = "cannot be mapped";
		return false;
	}
	*bytes = (struct slice){ memory, (size_t)st.st_size };
	return true;
}

void memfd_unmap(struct slice bytes)
{
	union {
		const char *lent;
		void *mapped;
	} at = { .lent = bytes.data };

	if (bytes.data)
		munmap(at.mapped, bytes.len);
}
