/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of names: capabilities, limits, namespaces, mount options; and ids and users. */
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "lib/test.h"
#include "runner/container/state.h"
#include "runner/process/capability.h"
#include "runner/process/namespace.h"
#include "runner/process/passwd.h"
#include "runner/process/rlimit.h"
#include "runner/spec/mount_option.h"

TEST(capabilities_are_found_in_any_case_with_and_without_prefix)
{
    CHECK_INT(capability_find("CAP_KILL"), CAP_KILL);
    CHECK_INT(capability_find("cap_kill"), CAP_KILL);
    CHECK_INT(capability_find("KILL"), CAP_KILL);
    CHECK_INT(capability_find("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
    CHECK(capability_find("CAP_") < 0);
    CHECK(capability_find("CAP_KILLS") < 0);
    CHECK(capability_find("") < 0);
    CHECK_STR(capability_name(CAP_SYS_ADMIN), "CAP_SYS_ADMIN");
    CHECK(capability_name(CAP_LAST_CAP + 1) == NULL);
}

TEST(ambient_capabilities_are_only_what_is_permitted_and_inheritable)
{
    static const char *const kill[] = { "CAP_KILL", NULL };
    static const char *const both[] = { "CAP_KILL", "CAP_CHOWN", NULL };
    struct process process = { .capabilities = {
                                   .permitted = both, .inheritable = kill, .ambient = both } };
    struct capabilities capabilities;
    struct error err = { 0 };

    CHECK_OK(capabilities_read(&process, &capabilities, &err), &err);
    CHECK(capabilities.ambient == 1ull << CAP_KILL);
    CHECK(capabilities.bounding == 0 && capabilities.effective == 0);
}

TEST(limits_and_namespaces_have_the_specifications_names)
{
    CHECK_INT(rlimit_find("RLIMIT_NOFILE"), RLIMIT_NOFILE);
    CHECK(rlimit_find("NOFILE") < 0);
    CHECK_INT(namespace_kind_find("network"), NAMESPACE_NETWORK);
    CHECK(namespace_kind_find("net") < 0);
    CHECK_INT(namespace_flag(NAMESPACE_TIME), CLONE_NEWTIME);
}

TEST(mount_options_are_flags_propagation_and_data)
{
    static const char *const list[] = { "rbind",   "ro",      "nosuid", "rnoexec", "rslave",
                                        "size=1m", "noatime", "idmap",  "weird",   NULL };
    cleanup_arena struct arena *mem = arena_new();
    struct mount_options options = { 0 };

    mount_options_read(mem, list, &options);
    CHECK(options.is_bind && options.is_recursive && options.is_idmapped);
    CHECK(options.set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME));
    CHECK(options.clear == MOUNT_ATTR__ATIME);
    CHECK(options.recursive_set == MOUNT_ATTR_NOEXEC);
    CHECK(options.propagation == MS_SLAVE && options.is_propagation_recursive);
    CHECK(options.data_count == 2);
    CHECK_STR(options.data[0], "size=1m");
    CHECK_STR(options.data[1], "weird");
}

TEST(of_two_contradicting_mount_options_the_later_counts)
{
    static const char *const list[] = { "ro", "rw", "noexec", NULL };
    cleanup_arena struct arena *mem = arena_new();
    struct mount_options options = { 0 };

    mount_options_read(mem, list, &options);
    CHECK(options.set == MOUNT_ATTR_NOEXEC);
    CHECK(options.clear == MOUNT_ATTR_RDONLY);
}

TEST(container_ids_are_plain_names)
{
    static const char *const bad[] = { "", ".", "..", ".x", "a/b", "a b", "a\nb", "\xc3\xa4" };
    struct error err = { 0 };

    CHECK_OK(state_check_id("a-B_c+1.2", &err), &err);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_FAILS(state_check_id(bad[i], &err), &err, ERR_INVALID);
}

TEST(a_home_is_found_by_user_number_alone)
{
    static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
                               "0:x:7:7::/seven:\n"
                               "broken\n"
                               "bad:x:8x:8::/eight:\n"
                               "last:x:9:9:comment:/nine";
    cleanup_arena struct arena *mem = arena_new();

    CHECK_STR(passwd_find_home(mem, text, 0), "/root");
    CHECK_STR(passwd_find_home(mem, text, 7), "/seven");
    CHECK_STR(passwd_find_home(mem, text, 9), "/nine");
    CHECK(passwd_find_home(mem, text, 8) == NULL);
    CHECK(passwd_find_home(mem, "", 0) == NULL);
}
