/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request's Config and HostConfig. */
#include <signal.h>
#include <string.h>

#include "core/box/container_launch.h"
#include "core/box/health.h"
#include "core/box/oci.h"
#include "core/container/container_config.h"
#include "core/container/container_host.h"
#include "lib/test.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static json_t *parse(const char *text)
{
    struct error err = { 0 };
    json_t *json = json_read(text, strlen(text), &err);

    ck_assert_msg(json != NULL, "%s", err.message);
    return json;
}

static void check_member(const json_t *object, const char *name, const char *expected)
{
    cleanup_json json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);

    ck_assert_msg(json_equal(json_object_get(object, name), wanted), "%s is not %s", name,
                  expected);
}

TEST(a_request_wins_over_the_image_and_maps_are_united)
{
    cleanup_json json_t *request = parse("{\"env\":[\"A=mine\",\"C=3\"],\"Labels\":{\"a\":\"1\"},"
                                         "\"User\":null,\"Tty\":true,\"Unknown\":5}");
    cleanup_json json_t *image =
        parse("{\"Env\":[\"A=image\",\"B=2\"],\"Labels\":{\"a\":\"0\",\"b\":\"2\"},\"User\":\"u\","
              "\"WorkingDir\":\"/w\",\"Cmd\":[\"sh\"],\"Volumes\":{\"/v\":{}}}");
    struct error err;
    cleanup_json json_t *config = config_complete(request, image, "img", ID, &err);

    CHECK(config != NULL);
    check_member(config, "Env", "[\"A=mine\",\"C=3\",\"B=2\"]");
    check_member(config, "Labels", "{\"a\":\"1\",\"b\":\"2\"}");
    check_member(config, "User", "\"u\"");
    check_member(config, "WorkingDir", "\"/w\"");
    check_member(config, "Cmd", "[\"sh\"]");
    check_member(config, "Entrypoint", "null");
    check_member(config, "Volumes", "{\"/v\":{}}");
    check_member(config, "Hostname", "\"0123456789ab\"");
    check_member(config, "Image", "\"img\"");
    CHECK(json_object_get(config, "Unknown") == NULL);
}

static void check_command(const char *request, const char *image, const char *expected)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *given = parse(request);
    cleanup_json json_t *from = parse(image);
    const char *const *args;
    const char *path;
    struct error err;
    cleanup_json json_t *config = config_complete(given, from, "img", ID, &err);

    CHECK_OK(config_command(config, mem, &path, &args, &err), &err);
    const char *line = path;
    for (size_t i = 0; args[i] != NULL; i++)
        line = arena_printf(mem, "%s %s", line, args[i]);
    CHECK_STR(line, expected);
}

TEST(entrypoint_and_cmd_are_mixed_as_docker_mixes_them)
{
    static const char image[] = "{\"Entrypoint\":[\"entry\"],\"Cmd\":[\"default\"]}";

    check_command("{}", image, "entry default");
    check_command("{\"Cmd\":[\"mine\"]}", image, "entry mine");
    check_command("{\"Entrypoint\":[\"other\"]}", image, "other");
    check_command("{\"Entrypoint\":\"word\",\"Cmd\":\"text\"}", image, "word text");
    check_command("{\"Entrypoint\":[\"\"],\"Cmd\":[\"sh\"]}", image, "sh");
}

TEST(nothing_to_run_is_refused)
{
    cleanup_arena struct arena *mem = arena_new();
    struct error err;
    cleanup_json json_t *config = config_complete(NULL, NULL, "img", ID, &err);
    const char *const *args;
    const char *path;

    CHECK_FAILS(config_command(config, mem, &path, &args, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "no command specified");
}

TEST(a_config_that_makes_no_sense_is_refused)
{
    static const char *const bad[] = {
        "{\"Tty\":\"yes\"}",
        "{\"WorkingDir\":\"rel\"}",
        "{\"Env\":[\"\"]}",
        "{\"Env\":[\"=x\"]}",
        "{\"Env\":[5]}",
        "{\"Labels\":{\"a\":1}}",
        "{\"StopSignal\":\"SIGNOSUCH\"}",
        "{\"Healthcheck\":{\"Interval\":5}}",
        "{\"Healthcheck\":{\"Retries\":-1}}",
    };
    struct error err;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cleanup_json json_t *request = parse(bad[i]);
        ck_assert_msg(config_complete(request, NULL, "img", ID, &err) == NULL, "%s", bad[i]);
        CHECK_INT(err.code, ERR_INVALID);
    }
}

TEST(signals_have_names_and_numbers)
{
    struct error err;
    int number = 0;

    CHECK_OK(signal_find("SIGTERM", &number, &err), &err);
    CHECK_INT(number, SIGTERM);
    CHECK_OK(signal_find("usr1", &number, &err), &err);
    CHECK_INT(number, SIGUSR1);
    CHECK_OK(signal_find("9", &number, &err), &err);
    CHECK_INT(number, 9);
    CHECK_OK(signal_find("RTMIN+3", &number, &err), &err);
    CHECK_INT(number, SIGRTMIN + 3);
    CHECK_FAILS(signal_find("0", &number, &err), &err, ERR_INVALID);
    CHECK_FAILS(signal_find("SIG", &number, &err), &err, ERR_INVALID);
    CHECK_FAILS(signal_find("RTMIN+99", &number, &err), &err, ERR_INVALID);
}

TEST(limits_out_of_range_are_refused_in_the_words_of_dockerd)
{
    static const struct {
        const char *host;
        const char *message;
    } bad[] = {
        { "{\"Memory\":1}", "Minimum memory limit allowed is 6MB" },
        { "{\"NanoCpus\":1,\"CpuPeriod\":1000}",
          "Conflicting options: Nano CPUs and CPU Period cannot both be set" },
        { "{\"AutoRemove\":true,\"RestartPolicy\":{\"Name\":\"always\"}}",
          "can't create 'AutoRemove' container with restart policy" },
        { "{\"OomScoreAdj\":1001}",
          "Invalid value 1001, range for oom score adj is [-1000, 1000]" },
        { "{\"NetworkMode\":\"nosuch\"}", "network nosuch not found" },
        { "{\"LogConfig\":{\"Type\":\"syslog\"}}",
          "logger: no log driver named 'syslog' is registered" },
        { "{\"PidMode\":\"what\"}", "invalid PidMode: what" },
        { "{\"UTSMode\":\"private\"}", "invalid UTSMode: private" },
        { "{\"UsernsMode\":\"auto\"}",
          "invalid UsernsMode: auto: containers have the host's user namespace, and 'host' is the "
          "only mode" },
        { "{\"SecurityOpt\":[\"apparmor=mine\"]}",
          "invalid --security-opt: \"apparmor=mine\": AppArmor profiles are not supported" },
    };
    cleanup_arena struct arena *mem = arena_new();
    struct host_warnings warnings = { 0 };
    struct error err;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cleanup_json json_t *request = parse(bad[i].host);
        ck_assert_msg(host_config_complete(request, mem, &warnings, &err) == NULL, "%s",
                      bad[i].host);
        CHECK_STR(err.message, bad[i].message);
    }
}

TEST(an_update_changes_what_it_names_and_leaves_zeros_alone)
{
    cleanup_arena struct arena *mem = arena_new();
    struct host_warnings warnings = { 0 };
    struct error err;
    cleanup_json json_t *request = parse("{\"Memory\":67108864,\"CpusetCpus\":\"0\"}");
    cleanup_json json_t *host = host_config_complete(request, mem, &warnings, &err);
    cleanup_json json_t *update =
        parse("{\"Memory\":0,\"CpuShares\":512,\"CpusetCpus\":\"\","
              "\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0}}");

    CHECK_OK(host_config_update(host, update, &err), &err);
    check_member(host, "Memory", "67108864");
    check_member(host, "CpuShares", "512");
    check_member(host, "CpusetCpus", "\"0\"");
    check_member(host, "RestartPolicy", "{\"Name\":\"always\",\"MaximumRetryCount\":0}");
}

static void check_capabilities(const char *host_text, const char *expected)
{
    cleanup_json json_t *host = parse(host_text);
    cleanup_json json_t *wanted = parse(expected);
    cleanup_json json_t *list = NULL;
    struct error err;

    CHECK_OK(oci_capabilities(host, &list, &err), &err);
    CHECK(json_equal(list, wanted));
}

TEST(capabilities_are_added_and_dropped_all_first)
{
    cleanup_json json_t *unknown = parse("{\"CapAdd\":[\"NOSUCH\"]}");
    cleanup_json json_t *privileged = parse("{\"Privileged\":true}");
    cleanup_json json_t *list = NULL;
    struct error err;

    check_capabilities("{\"CapDrop\":[\"ALL\"]}", "[]");
    check_capabilities(
        "{\"CapDrop\":[\"CHOWN\",\"cap_kill\",\"DAC_OVERRIDE\",\"FSETID\",\"FOWNER\","
        "\"MKNOD\",\"NET_RAW\",\"SETGID\",\"SETUID\",\"SETFCAP\",\"SETPCAP\","
        "\"NET_BIND_SERVICE\",\"AUDIT_WRITE\"],\"CapAdd\":[\"SYS_TIME\"]}",
        "[\"CAP_SYS_CHROOT\",\"CAP_SYS_TIME\"]");
    check_capabilities("{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"NET_ADMIN\"]}", "[\"CAP_NET_ADMIN\"]");
    CHECK_FAILS(oci_capabilities(unknown, &list, &err), &err, ERR_INVALID);
    CHECK_STR(err.message, "invalid CapAdd: unknown capability: \"NOSUCH\"");
    CHECK_OK(oci_capabilities(privileged, &list, &err), &err);
    CHECK_INT((int)json_array_size(list), 41);
}

TEST(a_seccomp_profile_keeps_the_rules_that_hold_here)
{
    static const char profile[] =
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
        "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
        "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
        "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
        "{\"names\":[\"s390\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"s390x\"]}},"
        "{\"name\":\"old\",\"action\":\"SCMP_ACT_ALLOW\"}]}";
    cleanup_json json_t *capabilities = parse("[\"CAP_CHOWN\"]");
    cleanup_json json_t *seccomp = NULL;
    struct error err;

    CHECK_OK(oci_seccomp(profile, capabilities, &seccomp, &err), &err);
    json_t *rules = json_object_get(seccomp, "syscalls");
    CHECK_INT((int)json_array_size(rules), 3);
    check_member(json_array_get(rules, 1), "names", "[\"clone\"]");
    check_member(json_array_get(rules, 2), "names", "[\"old\"]");
    CHECK_FAILS(oci_seccomp("{", capabilities, &seccomp, &err), &err, ERR_INVALID);
    CHECK_FAILS(oci_seccomp("{}", capabilities, &seccomp, &err), &err, ERR_INVALID);
}

TEST(what_never_ran_has_the_exit_code_that_the_cli_expects)
{
    CHECK_INT(launch_exit_code("exec: \"x\": executable file not found in $PATH", 128), 127);
    CHECK_INT(launch_exit_code("exec: \"/x\": stat /x: no such file or directory", 128), 127);
    CHECK_INT(launch_exit_code("exec: \"/etc\": is a directory", 128), 126);
    CHECK_INT(launch_exit_code("exec: \"/x\": permission denied", 128), 126);
    CHECK_INT(launch_exit_code("cannot mount", 128), 128);
}

TEST(health_turns_after_enough_failures_and_with_one_success)
{
    struct health_spec spec = { .retries = 2, .start_period_ms = 1000 };
    struct health_state state = { 0 };

    CHECK(!health_state_apply(&state, &spec, 500, false)); /* in the start period: not counted */
    CHECK(!health_state_apply(&state, &spec, 1500, false));
    CHECK(health_state_apply(&state, &spec, 2000, false));
    CHECK_INT(state.status, UNHEALTHY);
    CHECK(health_state_apply(&state, &spec, 2500, true));
    CHECK_INT(state.status, HEALTHY);
    CHECK(!health_state_apply(&state, &spec, 3000, false));
    CHECK(!health_state_apply(&state, &spec, 3500, true));
    CHECK_INT(state.failing_streak, 0);
}

TEST(health_checks_run_by_the_shell_or_directly)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *shell =
        parse("{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":1500000000}");
    cleanup_json json_t *direct = parse("{\"Test\":[\"CMD\",\"a\",\"b\"],\"Retries\":7}");
    cleanup_json json_t *none = parse("{\"Test\":[\"NONE\"]}");
    cleanup_json json_t *bad = parse("{\"Test\":[\"WHAT\",\"x\"]}");
    struct health_spec spec;
    struct error err;

    CHECK_OK(health_spec_parse(mem, shell, NULL, &spec, &err), &err);
    CHECK_STR(spec.argv[0], "/bin/sh");
    CHECK_STR(spec.argv[2], "true");
    CHECK_INT(spec.interval_ms, 1500);
    CHECK_INT(spec.retries, 3);
    CHECK_OK(health_spec_parse(mem, direct, NULL, &spec, &err), &err);
    CHECK_STR(spec.argv[1], "b");
    CHECK_INT(spec.retries, 7);
    CHECK_OK(health_spec_parse(mem, none, NULL, &spec, &err), &err);
    CHECK(spec.argv == NULL);
    CHECK_FAILS(health_spec_parse(mem, bad, NULL, &spec, &err), &err, ERR_INVALID);
}

/* What the profile says to a call without looking at its arguments: "action errno", or "". */
static const char *verdict(struct arena *mem, const json_t *profile, const char *call)
{
    const char *found = "";
    size_t i, k;
    json_t *rule;
    json_t *name;

    json_array_foreach(json_object_get(profile, "syscalls"), i, rule)
    {
        json_array_foreach(json_object_get(rule, "names"), k, name)
        {
            if (strcmp(json_string_value(name), call) != 0 || json_object_get(rule, "args") != NULL)
                continue;
            ck_assert_msg(found[0] == '\0', "%s stands in two rules", call);
            found = arena_printf(mem, "%s %lld", json_string_value(json_object_get(rule, "action")),
                                 json_integer_value(json_object_get(rule, "errnoRet")));
        }
    }
    return found;
}

TEST(the_usual_filter_lets_programs_live_and_keeps_them_from_the_host)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *usual = parse("[\"CAP_CHOWN\",\"CAP_SYS_CHROOT\"]");
    cleanup_json json_t *admin = parse("[\"CAP_SYS_ADMIN\"]");
    cleanup_json json_t *narrow = oci_seccomp_default(usual);
    cleanup_json json_t *wide = oci_seccomp_default(admin);

    CHECK_STR(verdict(mem, narrow, "openat"), "SCMP_ACT_ALLOW 0");
    CHECK_STR(verdict(mem, narrow, "chroot"), "SCMP_ACT_ALLOW 0");
    CHECK_STR(verdict(mem, narrow, "mount"), "SCMP_ACT_ERRNO 1");
    CHECK_STR(verdict(mem, narrow, "kexec_load"), "SCMP_ACT_ERRNO 1");
    CHECK_STR(verdict(mem, narrow, "clone3"), "SCMP_ACT_ERRNO 38");
    CHECK_STR(verdict(mem, narrow, "clone"), ""); /* by its flags */
    CHECK_STR(verdict(mem, wide, "mount"), "SCMP_ACT_ALLOW 0");
    CHECK_STR(verdict(mem, wide, "clone"), "SCMP_ACT_ALLOW 0");
    CHECK_STR(verdict(mem, wide, "chroot"), "SCMP_ACT_ERRNO 1");
    check_member(narrow, "defaultErrnoRet", "38");
}
