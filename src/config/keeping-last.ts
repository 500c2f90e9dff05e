/** Reads anew at each call; what can't be read then is as it was read last. */
export function keepingLast<Value>(
  read: () => Promise<Value>,
  { first, onFailure }: { readonly first: Value; readonly onFailure: (error: unknown) => void },
): () => Promise<Value> {
  let last = first;
  return async () => {
    try {
      last = await read();
    } catch (error) {
      onFailure(error);
    }
    return last;
  };
}
