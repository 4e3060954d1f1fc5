package game;

import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The key that is replaced here is the key of this class's world only. */
class RotationTest {
    @RegisterExtension
    static final Emulator emulator = new Emulator("""
            {"seed": 7, "scenario": "two_friends", "idle_exit": 600}""");

    @Test
    void aServerWithANewKeyRefusesTheTokensOfBefore() throws Exception {
        var session = new Session(emulator.url());
        String token = emulator.env("ALICE_TOKEN");
        session.websocketToken(token);

        emulator.control("POST", "/spacetime/rotate-key", null);

        assertThrows(Session.Unauthorized.class, () -> session.websocketToken(token));
    }
}
