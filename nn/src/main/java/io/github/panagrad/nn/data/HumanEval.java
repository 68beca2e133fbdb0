package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Problems of which an answer is a piece of code, and is right when its tests pass.
///
/// Source: Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv 2107.03374,
/// section 2.2. Nothing here runs code: what a model wrote is to be run where it can do no harm.
public final class HumanEval {
    private HumanEval() {}

    /// A problem.
    ///
    /// @param id its name, such as `HumanEval/0`
    /// @param prompt the head of a function with its description, which an answer goes on
    /// @param solution the body that its authors wrote
    /// @param test defines `check`, which fails for a wrong function
    /// @param entryPoint the name of the function
    public record Problem(
            String id, String prompt, String solution, String test, String entryPoint) {
        /// Returns a program that ends without an error if an answer is right.
        public String program(String answer) {
            return prompt + answer + "\n" + test + "\ncheck(" + entryPoint + ")\n";
        }
    }

    /// Reads the problems of a file of JSON lines, not compressed.
    ///
    /// @throws PanagradException if the file cannot be read, is empty or a row lacks a field; the
    ///     message names file and line
    public static List<Problem> read(Path file) {
        var problems = new ArrayList<Problem>();
        JsonLines.read(
                file,
                row ->
                        problems.add(
                                new Problem(
                                        row.string("task_id"),
                                        row.string("prompt"),
                                        row.string("canonical_solution"),
                                        row.string("test"),
                                        row.string("entry_point"))));
        if (problems.isEmpty()) {
            throw new PanagradException(file.toString(), "no problems", "", "", "");
        }
        return List.copyOf(problems);
    }
}
