import { DefaultFailureConverter, type FailureConverter } from '@temporalio/common';

/**
 * Puts messages and stacks of failures into payloads, which the codec encrypts. It goes into a workflow bundle of its
 * own: without keys they are to be read as they are in the Temporal UI.
 */
class EncodedFailureConverter extends DefaultFailureConverter {
  /** As a copy: the base class replaces the message in what this returns, which may be what the error itself keeps. */
  override errorToFailureInner(...args: Parameters<FailureConverter['errorToFailure']>) {
    return { ...super.errorToFailureInner(...args) };
  }
}

/** The name under which the SDK looks for it. */
export const failureConverter = new EncodedFailureConverter({ encodeCommonAttributes: true });
