import { useConnection } from "./changes.js";
import "./connection.css";

/** Reports that the server does not answer, or was restarted. It lies over the page, so that nothing moves. */
export function ConnectionNotice() {
  const connection = useConnection();
  return (
    <div role="status" class={`connection ${connection}`}>
      {connection === "away" && (
        <>
          <b>The server does not answer.</b> The page shows what it received last and continues when the server is back. To start it:{" "}
          <code>bh-bridge serve</code>
        </>
      )}
      {connection === "refused" && (
        <>
          <b>The server was restarted.</b> Open the address that it printed: it contains a new access token.
        </>
      )}
    </div>
  );
}
