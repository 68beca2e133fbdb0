package io.github.panagrad.examples;

import java.io.PrintWriter;
import java.io.StringWriter;

/// What a command line gave.
///
/// @param code the exit code
/// @param out what it printed as its result
/// @param err what else it printed
record CommandLineRun(int code, String out, String err) {
    static CommandLineRun of(Object... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        int code = Panagrad.run(words, new PrintWriter(out, true), new PrintWriter(err, true));
        return new CommandLineRun(code, out.toString(), err.toString());
    }
}
