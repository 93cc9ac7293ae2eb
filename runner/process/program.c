/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up and executing. */
#include "runner/process/program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int check_executable(const char *path);
static int fail_program(struct error *err, const char *name, int rc);
static const char *go_text(int error_number, char text[64]);

int program_find(struct arena *mem, const struct process *process, const char **path,
                 struct error *err)
{
    const char *name = process->args[0];
    const char *list = process_env(process, "PATH");
    int denied = 0;

    if (strchr(name, '/') != NULL) {
        int rc = check_executable(name);
        *path = name;
        return rc < 0 ? fail_program(err, name, rc) : 0;
    }
    if (list == NULL)
        list = DEFAULT_PATH;
    for (const char *at = list; *name != '\0' && at != NULL; at = strchr(at, ':')) {
        at += *at == ':';
        size_t length = strcspn(at, ":");
        const char *candidate = length == 0 ? arena_printf(mem, "./%s", name)
                                            : arena_printf(mem, "%.*s/%s", (int)length, at, name);
        int rc = check_executable(candidate);
        if (rc == 0) {
            *path = candidate;
            return 0;
        }
        if (rc == -EACCES)
            denied = rc;
    }
    if (denied < 0)
        return fail_program(err, name, denied);
    return fail(err, ERR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH", name);
}

int program_exec(const char *path, const struct process *process, const char *const *env,
                 struct error *err)
{
    static const char *const no_env[] = { NULL };
    char text[64];
    char *const *argv;
    char *const *envp;

    if (env == NULL)
        env = no_env;
    memcpy(&argv, &process->args, sizeof(argv)); /* execve only reads */
    memcpy(&envp, &env, sizeof(envp));
    (void)execve(path, argv, envp);
    int error_number = errno;
    return fail(err, error_code_from_errno(error_number), "exec %s: %s", path,
                go_text(error_number, text));
}

int program_status(const struct error *err)
{
    return err->code == ERR_NOT_FOUND ? PROGRAM_NOT_FOUND_STATUS : PROGRAM_CANNOT_RUN_STATUS;
}

static int check_executable(const char *path)
{
    struct stat st;
    int rc = sys_fstatat(AT_FDCWD, path, &st, 0);

    if (rc < 0)
        return rc;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* As Go's exec.LookPath says it: engines and people know these texts. */
static int fail_program(struct error *err, const char *name, int rc)
{
    char text[64];

    if (rc == -ENOENT || rc == -ENOTDIR)
        return fail(err, ERR_NOT_FOUND, "exec: \"%s\": stat %s: %s", name, name,
                    go_text(-rc, text));
    return fail(err, ERR_DENIED, "exec: \"%s\": %s%s", name, go_text(-rc, text),
                rc == -EISDIR ? ": permission denied" : ""); /* engines know the class by this */
}

/* Go's texts are the C library's in lower case. */
static const char *go_text(int error_number, char text[64])
{
    const char *from = strerrordesc_np(error_number);
    size_t length = strlen(from);

    if (length > 63)
        length = 63;
    memcpy(text, from, length);
    text[length] = '\0';
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}
