// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { FindInput } from "./find-input";

let address: (text: string | undefined) => void = () => {};

/** An address that follows only when the test says so. */
function Page({ heard }: { heard: string[] }) {
  const [find, setFind] = useState<string | undefined>("soup");
  address = setFind;
  return <FindInput aria-label="Find" value={find} onFind={(text) => heard.push(text ?? "")} />;
}

describe("a field whose text lives in the address", () => {
  afterEach(cleanup);

  it("keeps what is typed and the caret while the address lags behind", async () => {
    const heard: string[] = [];
    render(<Page heard={heard} />);
    const field = screen.getByLabelText<HTMLInputElement>("Find");
    await userEvent.type(field, "le", { initialSelectionStart: 0, initialSelectionEnd: 0 });
    expect(field.value).toBe("lesoup");
    expect(field.selectionStart).toBe(2);
    expect(heard).toEqual(["lsoup", "lesoup"]);
  });

  it("takes over an address that somebody else changed, and no late echo of its own", async () => {
    render(<Page heard={[]} />);
    const field = screen.getByLabelText<HTMLInputElement>("Find");
    await userEvent.type(field, "er");
    act(() => address("soupe"));
    expect(field.value).toBe("souper");
    act(() => address("souper"));
    act(() => address("bread"));
    expect(field.value).toBe("bread");
  });
});
