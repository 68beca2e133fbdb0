package io.github.panagrad.examples.rl;

/// A world to act in, episode by episode.
public interface Environment {
    /// Returns how many numbers an observation has.
    int observationSize();

    /// Returns how many actions there are.
    int actions();

    /// Starts an episode and returns its first observation.
    float[] reset();

    /// Acts.
    ///
    /// @param action from 0
    Outcome step(int action);

    /// What an action led to.
    ///
    /// @param observation what is seen next
    /// @param reward the reward, as the learner gets it
    /// @param worth the reward without noise, which the learner does not see
    /// @param done whether nothing follows
    /// @param cut whether the episode ends here although more would follow
    record Outcome(float[] observation, double reward, double worth, boolean done, boolean cut) {}
}
