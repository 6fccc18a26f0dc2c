package io.formacdc.duckdb;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Runs suites in one {@link Way}, or says why not. */
record GoingTheWay(Way way) implements ExecutionCondition, BeforeAllCallback, AfterAllCallback {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return way.obstacle()
                .map(reason -> {
                    if (context.getTestMethod().isEmpty()
                            && context.getEnclosingTestClasses().isEmpty()) {
                        System.out.println("[WARNING] " + context.getDisplayName() + " is skipped: " + reason);
                    }
                    return ConditionEvaluationResult.disabled(reason);
                })
                .orElseGet(() -> ConditionEvaluationResult.enabled(way.name()));
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        TestHost.way = way;
        // The AWS default chain is where a flush by extensions finds the key that it gives to DuckDB.
        System.setProperty("aws.accessKeyId", TestHost.s3().accessKey());
        System.setProperty("aws.secretAccessKey", TestHost.s3().secretKey());
    }

    @Override
    public void afterAll(ExtensionContext context) {
        TestHost.way = Way.BUILT_IN;
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
    }
}
